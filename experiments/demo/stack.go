package demo

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
)

// Ports are where every service listens inside its container.
const (
	Port      = 8080 // for users
	AdminPort = 8081 // for operators
)

// Instance is one shop.
type Instance struct {
	Project  string   // compose project: what its containers are found by
	Lies     []string // ids of rules; none: the honest shop
	Speed    float64
	Canary   string
	Folder   string // on this machine, for the files of its services
	Postgres string // URL of the database of orders as orders reaches it; SQLite in Folder when empty
	Local    *Local // the runner starts its services as processes of this host; nil: they are containers
}

// Local is where the services of a shop listen that has no containers.
type Local struct {
	Program string         // candor's binary
	Ports   map[string]int // for users, by service
	Admin   map[string]int // for operators
}

// needs are the services that each one calls.
func needs(service string) []string {
	switch service {
	case "web":
		return []string{"catalog", "orders", "payments", "accounts"}
	case "status":
		return []string{"web", "catalog", "orders", "payments", "accounts"}
	}
	return nil
}

// Spec is one service of a shop: what a runtime needs to start it.
type Spec struct {
	Service string
	Args    []string // of candor's binary
	Admin   bool     // it listens on AdminPort too
	Folder  string   // below the instance's, bound to /data; none when empty
}

// Stack lists the services of a shop.
func (i Instance) Stack() []Spec {
	var all []Spec
	key := rand.Text() // of this shop alone: sessions do not outlive it
	for _, service := range Services {
		args := []string{"shop", service, "-listen", i.address(service), "-speed", fmt.Sprint(i.Speed)}
		spec := Spec{Service: service}
		switch service {
		case "web", "orders":
			args = append(args, "-lies", strings.Join(i.Lies, ","), "-canary", i.Canary)
			fallthrough
		case "payments", "accounts":
			spec.Admin, spec.Folder = true, service
			args = append(args, "-admin", i.admin(service), "-data", i.data(service))
		}
		if service == "web" || service == "accounts" {
			args = append(args, "-key", key)
		}
		if service == "status" {
			spec.Admin = true
			args = append(args, "-lies", strings.Join(i.Lies, ","), "-admin", i.admin(service))
		}
		if i.Local != nil {
			for _, need := range needs(service) {
				args = append(args, "-"+need, "{{ needs."+need+".url }}")
			}
		}
		spec.Args = args
		all = append(all, spec)
	}
	return all
}

// address is where a service listens for its users.
func (i Instance) address(service string) string {
	if i.Local != nil {
		return fmt.Sprintf("127.0.0.1:%d", i.Local.Ports[service])
	}
	return fmt.Sprintf(":%d", Port)
}

// admin is where a service listens for its operators.
func (i Instance) admin(service string) string {
	if i.Local != nil {
		return fmt.Sprintf("127.0.0.1:%d", i.Local.Admin[service])
	}
	return fmt.Sprintf(":%d", AdminPort)
}

// data is where a service keeps its files.
func (i Instance) data(service string) string {
	switch {
	case service == "orders" && i.Postgres != "":
		return i.Postgres
	case i.Local != nil:
		return filepath.Join(i.Folder, service)
	}
	return "/data"
}

// Addresses are where the services of a shop without containers will be, once a run starts them.
func (i Instance) Addresses() Addresses {
	return Addresses{Web: "http://" + i.address("web"), Status: "http://" + i.address("status"),
		PaymentAdmin: "http://" + i.admin("payments"), AccountAdmin: "http://" + i.admin("accounts"),
		OrdersDB: "sqlite:" + filepath.Join(i.Folder, "orders", "orders.db")}
}

// runtime is what the System says of where its services are, and of how each of them is started.
func (i Instance) runtime() (runtime string, services []string, err error) {
	runtime = fmt.Sprintf("{docker: {project: %s}}", i.Project)
	if i.Local != nil {
		runtime = "{process: {}}"
	}
	for _, spec := range i.Stack() {
		text := fmt.Sprintf("port: %d", Port)
		if i.Local != nil {
			command, err := json.Marshal(append([]string{i.Local.Program}, spec.Args...))
			if err != nil {
				return "", nil, fmt.Errorf("write the project: command of %s: %w", spec.Service, err)
			}
			text = fmt.Sprintf("port: %d, command: %s", i.Local.Ports[spec.Service], command)
		}
		services = append(services, "${PORT_"+spec.Service+"}", text)
	}
	return runtime, services, nil
}
