package stet_test

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/stet-dev/stet"
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
		{`{"ops":[`, `{}`, new(stet.Commit)},
		{`{"refs":[`, `""`, &struct {
			Refs []string `json:"refs"`
		}{}},
		{`{"labels":[`, `"l"`, new(stet.Draft)},
		{`{"parents":[`, `""`, new(stet.Draft)},
		{`{"ops":[`, `{}`, new(stet.Change)},
		{`{"ops":[{"save":{"labels":[`, `{}`, new(stet.Change)},
		{`{"ops":[{"save":{"content":{"parents":[`, `""`, new(stet.Change)},
	} {
		f := &flood{before: x.before, element: x.element}
		if err := stet.Decode(f, x.into); stet.CodeOf(err) != stet.CodeTooLarge {
			t.Errorf("%s%s,…: %v, after %d bytes", x.before, x.element, err, f.read)
		}
	}
	var variables strings.Builder
	for i := range stet.MaxValues {
		fmt.Fprintf(&variables, `"v%d":"x",`, i)
	}
	var some struct {
		V map[string]*string         `json:"v"`
		P map[string]json.RawMessage `json:"p"`
	}
	most := strings.TrimSuffix(variables.String(), ",")
	if err := stet.Decode(strings.NewReader(`{"v":{`+most+`},"p":{"h":[]}}`), &some); err != nil || len(some.V) != stet.MaxValues || string(some.P["h"]) != "[]" {
		t.Errorf("a map: %v, %d values, %s", err, len(some.V), some.P)
	}
	if err := stet.Decode(strings.NewReader(`{"v":{`+most+`,"one":"more"}}`), &some); stet.CodeOf(err) != stet.CodeTooLarge {
		t.Errorf("a map with one too many: %v", err)
	}
	for _, text := range []string{`{"ops":null}`, `{"ops":[]}`} {
		if err := stet.Decode(strings.NewReader(text), new(stet.Commit)); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`{"ops":[`, `{"ops":[{}`, `{"ops":[{},]}`, `{"ops":[{}}`, `{"ops":{}}`, `{"ops":[1]}`} {
		if err := stet.Decode(strings.NewReader(text), new(stet.Commit)); stet.CodeOf(err) != stet.CodeInvalid {
			t.Errorf("%s: %v", text, err)
		}
	}
}
