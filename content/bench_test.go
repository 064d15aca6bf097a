package content

import (
	"strings"
	"testing"

	"github.com/go-json-experiment/json"
)

// benchText is 1 KB of prompt with four variables and a line break every 64 bytes.
var benchText = strings.Repeat("You are a careful assistant. Answer in the words of the user. \n", 15) +
	"{{name}} {{ tone }} {{question}} {{context}}"

var benchMessages = []byte(`[{"role":"system","content":"` + strings.Repeat("You are a careful assistant. ", 16) + `"},
	{"type":"placeholder","name":"history"},
	{"role":"user","content":[{"type":"text","text":"` + strings.Repeat("Answer {{question}} now. ", 16) + `"}]}]`)

var benchConfig = []byte(`{"model":"m-1","temperature":0.2,"max_tokens":1024,"stop":["\n\n"]}`)

func BenchmarkNew(b *testing.B) {
	for _, bb := range []struct {
		name string
		spec Spec
	}{
		{"text1KB", Spec{Text: &benchText}},
		{"text1KB+config", Spec{Text: &benchText, Config: benchConfig}},
		{"chat1KB", Spec{Messages: benchMessages}},
	} {
		b.Run(bb.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := New(bb.spec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkNewDigest(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		c, err := New(Spec{Text: &benchText})
		if err != nil {
			b.Fatal(err)
		}
		c.Digest()
	}
}

func BenchmarkDigest(b *testing.B) {
	c := must(b, Spec{Text: &benchText})
	b.ReportAllocs()
	for b.Loop() {
		c.Digest()
	}
}

func BenchmarkAppendMembers(b *testing.B) {
	c := must(b, Spec{Text: &benchText})
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf = c.AppendMembers(buf[:0])
	}
}

func BenchmarkDecode(b *testing.B) {
	body := must(b, Spec{Text: &benchText, Config: benchConfig}).AppendMembers([]byte("{"))
	body = append(body, '}')
	b.ReportAllocs()
	for b.Loop() {
		var s Spec
		if err := json.Unmarshal(body, &s); err != nil {
			b.Fatal(err)
		}
		if _, err := New(s); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	c := must(b, Spec{Text: &benchText})
	v := Values{Variables: map[string]string{"name": "Ana", "tone": "kind", "question": "Why?", "context": "None."}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.Render(v); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	other := benchText + " "
	x, y := must(b, Spec{Text: &benchText}), must(b, Spec{Text: &other})
	b.ReportAllocs()
	for b.Loop() {
		Compare(x, y)
	}
}

// must makes a Content of a spec that is good.
func must(tb testing.TB, s Spec) Content {
	tb.Helper()
	c, err := New(s)
	if err != nil {
		tb.Fatalf("New(%+v): %v", s, err)
	}
	return c
}
