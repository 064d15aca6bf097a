package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

type versionCmd struct{}

func (*versionCmd) Help() string {
	return `Examples:

    stet version
    stet version --json

With --json: {"version","revision","go","os","arch"}; revision is that of the sources.`
}

func (c *versionCmd) Run(a *app) error {
	v := struct {
		Version  string `json:"version"`
		Revision string `json:"revision,omitempty"` // of the sources
		Go       string `json:"go"`
		OS       string `json:"os"`
		Arch     string `json:"arch"`
	}{programVersion(), "", runtime.Version(), runtime.GOOS, runtime.GOARCH}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v.Revision = s.Value
			}
		}
	}
	if a.flags.JSON {
		return a.json(v)
	}
	s := "stet " + v.Version
	if v.Revision != "" {
		s += " (" + v.Revision[:min(len(v.Revision), 12)] + ")"
	}
	return a.println(fmt.Sprintf("%s, %s, %s/%s", s, v.Go, v.OS, v.Arch))
}

// programVersion returns the version of the module from which this program was built.
func programVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		if m := info.Main.Version; m != "" && m != "(devel)" {
			return m
		}
	}
	return "devel"
}
