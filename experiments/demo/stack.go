package demo

import (
	"crypto/rand"
	"fmt"
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
		args := []string{"shop", service, "-listen", fmt.Sprintf(":%d", Port), "-speed", fmt.Sprint(i.Speed)}
		spec := Spec{Service: service}
		switch service {
		case "web", "orders":
			args = append(args, "-lies", strings.Join(i.Lies, ","), "-canary", i.Canary)
			fallthrough
		case "payments", "accounts":
			spec.Admin, spec.Folder = true, service
			data := "/data"
			if service == "orders" && i.Postgres != "" {
				data = i.Postgres
			}
			args = append(args, "-admin", fmt.Sprintf(":%d", AdminPort), "-data", data)
		}
		if service == "web" || service == "accounts" {
			args = append(args, "-key", key)
		}
		if service == "status" {
			spec.Admin = true
			args = append(args, "-lies", strings.Join(i.Lies, ","), "-admin", fmt.Sprintf(":%d", AdminPort))
		}
		spec.Args = args
		all = append(all, spec)
	}
	return all
}
