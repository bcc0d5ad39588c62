package build

import (
	"fmt"
	"os"
	"strings"
)

// Minor is the variable that names the Kubernetes of the bed, as in 1.33; empty means the newest.
const Minor = "FOREWARM_KUBERNETES"

// kubernetes is the module of the newest, which the table of components names.
const kubernetes = "kubernetes"

// release of Kubernetes that has a module under components/.
type release struct{ minor, module, version string }

// releases, the newest first.
var releases = []release{
	{"1.37", kubernetes, "v1.37.2"},
	{"1.33", "kubernetes-1.33", "v1.33.13"},
}

// Components is everything the bed is made of, with the Kubernetes that the environment names.
func Components() ([]Component, error) {
	chosen, err := releaseOf(os.Getenv(Minor))
	if err != nil {
		return nil, err
	}
	all := make([]Component, len(table))
	for at, c := range table {
		if c.Module == kubernetes {
			c.Module, c.Stamp = chosen.module, chosen.stamp()
		}
		all[at] = c
	}
	return all, nil
}

func releaseOf(minor string) (release, error) {
	var known []string
	for _, r := range releases {
		if minor == "" || minor == r.minor {
			return r, nil
		}
		known = append(known, r.minor)
	}
	return release{}, fmt.Errorf("%s is %q: give one of %s", Minor, minor, strings.Join(known, ", "))
}

// stamp is what its binaries answer when asked for their version.
func (r release) stamp() string {
	major, minor, _ := strings.Cut(r.minor, ".")
	const flag = "-X k8s.io/component-base/version.git"
	return flag + "Version=" + r.version + " " + flag + "Major=" + major + " " + flag + "Minor=" + minor
}
