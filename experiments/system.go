package experiments

import "time"

// System is the application under test: kind System, usually candor.yaml at the root of its repository.
type System struct {
	Name        string                   `yaml:"name" json:"name" doc:"name of the system" required:"true"`
	Environment Environment              `yaml:"environment" json:"environment"`
	Runtime     Runtime                  `yaml:"runtime" json:"runtime" required:"true"`
	Up          []string                 `yaml:"up" json:"up,omitempty" doc:"command that starts the system"`
	Down        []string                 `yaml:"down" json:"down,omitempty" doc:"command that stops the system"`
	Standards   string                   `yaml:"standards" json:"standards,omitempty" doc:"file of kind Standards, relative to this one"`
	Guardian    string                   `yaml:"guardian" json:"guardian,omitempty" doc:"what mends when the runner dies: auto, process or container; auto when absent" enum:"auto,process,container"`
	Canaries    []string                 `yaml:"canaries" json:"canaries,omitempty" doc:"planted secrets that must never be seen (LK-06)"`
	PublicNames []string                 `yaml:"public_names" json:"public_names,omitempty" doc:"hosts and addresses that users may see (LK-03)"`
	Cycles      map[string]time.Duration `yaml:"cycles" json:"cycles,omitempty" doc:"slowest repair or retry cycles (MT-06)"`
	Idempotency []string                 `yaml:"idempotency" json:"idempotency,omitempty" doc:"what counts as a key beside Idempotency-Key: header NAME or json.FIELD (HT-09)"`
	Lexicon     map[string][]string      `yaml:"lexicon" json:"lexicon,omitempty" doc:"the product's own phrases, by class"`
	Status      *StatusPage              `yaml:"status" json:"status,omitempty" doc:"the public status page, read from outside (SP rules)"`
	Parameters  map[string]any           `yaml:"parameters" json:"parameters,omitempty"`
	Services    map[string]Service       `yaml:"services" json:"services" required:"true"`
}

// Protected is the class of environments that a run may touch only when it is told their name.
const Protected = "protected"

// Environment bounds what may be done where. A sandbox is disposable and nobody else uses it; others use a shared one;
// a protected one, such as production, wants abort rules in each experiment and its name from whoever runs it.
type Environment struct {
	Name              string        `yaml:"name" json:"name"`
	Class             string        `yaml:"class" json:"class" doc:"sandbox, shared or protected" enum:"sandbox,shared,protected"`
	MaxFault          time.Duration `yaml:"max_fault" json:"max_fault" doc:"longest fault allowed; 10m when absent"`
	MaxParallelFaults int           `yaml:"max_parallel_faults" json:"max_parallel_faults" doc:"2 when absent"`
}

// Runtime says where the system's services run; exactly one is given.
type Runtime struct {
	Docker    *DockerRuntime    `yaml:"docker" json:"docker,omitempty" doc:"containers of one engine"`
	Process   *ProcessRuntime   `yaml:"process" json:"process,omitempty" doc:"candor itself starts each service by its command"`
	Toxiproxy *ToxiproxyRuntime `yaml:"toxiproxy" json:"toxiproxy,omitempty" doc:"an existing Toxiproxy that the services use already"`
}

// DockerRuntime finds a system's containers by the compose project's label or by labels.
type DockerRuntime struct {
	Project string            `yaml:"project" json:"project,omitempty"`
	Labels  map[string]string `yaml:"labels" json:"labels,omitempty"`
}

// ProcessRuntime starts the services on this host. All that it has to know stands with each service.
type ProcessRuntime struct{}

// ToxiproxyRuntime acts on the proxies of somebody else's Toxiproxy, and adds and removes nothing there but its own toxics.
type ToxiproxyRuntime struct {
	URL   Template          `yaml:"url" json:"url" doc:"of its HTTP interface, such as http://127.0.0.1:8474" env:"address" required:"true"`
	Paths map[string]string `yaml:"paths" json:"paths" doc:"the name of the proxy on each path: \"web → payments\": payments; -> does as well" required:"true"`
}

// Service is one part of the system.
type Service struct {
	Tier      string              `yaml:"tier" json:"tier,omitempty" doc:"tier of the standards; standard when absent"`
	Owner     string              `yaml:"owner" json:"owner,omitempty"`
	URL       Template            `yaml:"url" json:"url,omitempty" doc:"where users reach it" env:"address"`
	Addresses map[string]Template `yaml:"addresses" json:"addresses,omitempty" doc:"further addresses, by name" env:"address"`
	Ready     string              `yaml:"ready" json:"ready,omitempty" doc:"path that answers 2xx when it can serve"`
	Port      int                 `yaml:"port" json:"port,omitempty" doc:"port inside its runtime"`
	Ports     map[string]int      `yaml:"ports" json:"ports,omitempty"`
	Host      string              `yaml:"host" json:"host,omitempty" doc:"name or address of a service outside, such as api.payments.example: it is nothing that candor could start, stop or find in the runtime, and only the ways to it are broken; with a port"`
	Needs     []string            `yaml:"needs" json:"needs,omitempty" doc:"services that it calls"`
	Command   []Template          `yaml:"command" json:"command,omitempty" doc:"runtime process: the program and its arguments" env:"launch"`
	Env       map[string]Template `yaml:"env" json:"env,omitempty" doc:"runtime process: variables beside candor's own; {{ needs.NAME.url }} .host .port .address .ports.NAME is where it finds what it needs" env:"launch"`
	Dir       string              `yaml:"dir" json:"dir,omitempty" doc:"runtime process: folder to start it in, relative to this file"`
}

// Outside reports whether it is a service that the runtime does not have: somebody else's, or on another machine.
func (s Service) Outside() bool { return s.Host != "" }
