package open_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/open"
)

func TestStore(t *testing.T) {
	dir := t.TempDir()
	for address, engine := range map[string]string{
		"memory:":                                "memory",
		"sqlite:" + filepath.Join(dir, "a"):      "sqlite",
		filepath.Join(dir, "b.db"):               "sqlite",
		"sqlite:" + filepath.Join(dir, "c:d.db"): "sqlite",
	} {
		s, err := open.Store(t.Context(), address, nil)
		if err != nil {
			t.Errorf("%s: %v", address, err)
			continue
		}
		if s.Engine() != engine {
			t.Errorf("%s is of engine %s, want %s", address, s.Engine(), engine)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if ok, err := open.Exists(address); !ok || err != nil {
			t.Errorf("%s does not exist: %v", address, err)
		}
	}
	if ok, err := open.Exists(filepath.Join(dir, "none.db")); ok || err != nil {
		t.Errorf("none.db exists: %v", err)
	}
}

func TestUnknownAddress(t *testing.T) {
	for _, address := range []string{"", "stet", "mysql:stet.db", "mysql://host/stet.db", "sqlite:", "memory:a"} {
		s, err := open.Store(t.Context(), address, nil)
		if err == nil {
			s.Close()
		}
		if stet.CodeOf(err) != stet.CodeInvalid {
			t.Errorf("%q: %v", address, err)
			continue
		}
		if !strings.Contains(err.Error(), "memory:") && !strings.Contains(err.Error(), "sqlite:PATH") {
			t.Errorf("%q: the error does not say what there is: %v", address, err)
		}
	}
}
