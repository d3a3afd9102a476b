package main

import "flag"

var update = flag.Bool("update", false, "write golden blocks and files anew")
