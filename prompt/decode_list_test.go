package prompt_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stet-dev/stet/fault"
	"github.com/stet-dev/stet/prompt"
)

// A flood is JSON that goes on for ever with one element, and counts what is read.
type flood struct {
	before, element string
	rest            string
	read            int
}

func (f *flood) Read(p []byte) (int, error) {
	if f.read == 0 {
		f.rest = f.before
	}
	for len(f.rest) < len(p) {
		f.rest += strings.Repeat(f.element+",", 1000)
	}
	n := copy(p, f.rest)
	f.rest = f.rest[n:]
	if f.read += n; f.read > 1<<20 {
		return 0, io.ErrNoProgress
	}
	return n, nil
}

// TestDecodeStopsAtTheLimit reads lists that do not end: what is over a limit is refused
// there, and what comes after it is not read.
func TestDecodeStopsAtTheLimit(t *testing.T) {
	for _, x := range []struct {
		before, element string
		into            any
	}{
		{`{"ops":[`, `{}`, new(prompt.Commit)},
		{`{"refs":[`, `""`, &struct {
			Refs []string `json:"refs"`
		}{}},
		{`{"labels":[`, `"l"`, new(prompt.Draft)},
		{`{"parents":[`, `""`, new(prompt.Draft)},
		{`{"ops":[`, `{}`, new(prompt.Change)},
		{`{"ops":[{"save":{"labels":[`, `{}`, new(prompt.Change)},
		{`{"ops":[{"save":{"content":{"parents":[`, `""`, new(prompt.Change)},
	} {
		f := &flood{before: x.before, element: x.element}
		if err := prompt.Decode(f, x.into); fault.CodeOf(err) != fault.TooLarge {
			t.Errorf("%s%s,…: %v, after %d bytes", x.before, x.element, err, f.read)
		}
	}
	var variables strings.Builder
	for i := range prompt.MaxValues {
		fmt.Fprintf(&variables, `"v%d":"x",`, i)
	}
	var some struct {
		V map[string]*string         `json:"v"`
		P map[string]json.RawMessage `json:"p"`
	}
	most := strings.TrimSuffix(variables.String(), ",")
	if err := prompt.Decode(strings.NewReader(`{"v":{`+most+`},"p":{"h":[]}}`), &some); err != nil || len(some.V) != prompt.MaxValues || string(some.P["h"]) != "[]" {
		t.Errorf("a map: %v, %d values, %s", err, len(some.V), some.P)
	}
	if err := prompt.Decode(strings.NewReader(`{"v":{`+most+`,"one":"more"}}`), &some); fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("a map with one too many: %v", err)
	}
	for _, text := range []string{`{"ops":null}`, `{"ops":[]}`} {
		if err := prompt.Decode(strings.NewReader(text), new(prompt.Commit)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`{"ops":[`, `{"ops":[{}`, `{"ops":[{},]}`, `{"ops":[{}}`, `{"ops":{}}`, `{"ops":[1]}`} {
		if err := prompt.Decode(strings.NewReader(text), new(prompt.Commit)); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("%s: %v", text, err)
		}
	}
}
