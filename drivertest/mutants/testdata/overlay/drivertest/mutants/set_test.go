package mutants

import "github.com/stet-dev/stet/core"

func init() { setMutant = core.SetMutant }
