package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// processes lists candor's own processes that work on a system or in a state directory: runners, guardians, agents.
func processes(system, state string) ([]string, error) {
	all, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var left []string
	for _, p := range all {
		pid, err := strconv.Atoi(p.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		line, err := os.ReadFile(filepath.Join("/proc", p.Name(), "cmdline"))
		if err != nil || len(line) == 0 { // it ended, or is the kernel's
			continue
		}
		args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
		if candors(p.Name(), args) && about(p.Name(), args, system, state) {
			left = append(left, fmt.Sprintf("process %d lives: %s", pid, strings.Join(args, " ")))
		}
	}
	return left, nil
}

// candors tells candor's program by its file, also one that was replaced or lies in a container.
func candors(pid string, args []string) bool {
	exe, err := os.Readlink(filepath.Join("/proc", pid, "exe"))
	if err != nil {
		exe = args[0]
	}
	return filepath.Base(strings.TrimSuffix(exe, " (deleted)")) == "candor" &&
		slices.ContainsFunc(args, func(a string) bool { return slices.Contains([]string{"run", "guardian", "agent"}, a) })
}

// about looks for the names in a process's arguments and in its environment.
func about(pid string, args []string, system, state string) bool {
	environ, err := os.ReadFile(filepath.Join("/proc", pid, "environ"))
	if err != nil {
		environ = nil
	}
	for _, text := range append(args, string(environ)) {
		if strings.Contains(text, state) || strings.Contains(text, system) {
			return true
		}
	}
	return false
}

// temporary lists what candor left in the folder for temporary files.
func temporary() ([]string, error) {
	files, err := filepath.Glob(filepath.Join(os.TempDir(), "candor-*"))
	for i, f := range files {
		files[i] = "temporary file " + f + " is there"
	}
	return files, err
}
