package stet_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stet-dev/stet"
)

// A value of another kind than belongs there is named, with what it is and what to give.
func TestDecodeMismatch(t *testing.T) {
	type inner struct {
		Texts []string `json:"texts"`
	}
	type body struct {
		Variables map[string]*string `json:"variables"`
		Text      string             `json:"text"`
		Limit     int                `json:"limit"`
		Rate      float64            `json:"rate"`
		Force     bool               `json:"force"`
		Labels    []string           `json:"labels"`
		Inner     inner              `json:"inner"`
		At        time.Time          `json:"at"`
		Raw       json.RawMessage    `json:"raw"`
		Ops       []stet.Op          `json:"ops"`
		Epoch     uint64             `json:"epoch"`
	}
	for in, want := range map[string]string{
		`{"variables":{"count":3}}`:             `count in /variables is a number; give a text: "3" (byte `,
		`{"variables":{"count":-1.5e3}}`:        `count in /variables is a number; give a text: "-1.5e3" (byte `,
		`{"variables":{"a":true}}`:              `a in /variables is true; give a text: "true" (byte `,
		`{"variables":{"a":["x"]}}`:             `a in /variables is a list; give a text (byte `,
		`{"variables":{"a":{"b":1}}}`:           `a in /variables is an object; give a text (byte `,
		`{"variables":[1]}`:                     `variables is a list; give an object (byte `,
		`{"variables":"x"}`:                     `variables is a text; give an object (byte `,
		`{"text":7}`:                            `text is a number; give a text: "7" (byte `,
		`{"limit":"12"}`:                        `limit is a text; give a whole number: 12 (byte `,
		`{"limit":"x"}`:                         `limit is a text; give a whole number (byte `,
		`{"limit":1.5}`:                         `limit is a number; give a whole number (byte `,
		`{"epoch":-1}`:                          `epoch is a number; give a whole number from 0 on (byte `,
		`{"rate":"2"}`:                          `rate is a text; give a number: 2 (byte `,
		`{"force":"true"}`:                      `force is a text; give true or false (byte `,
		`{"force":1}`:                           `force is a number; give true or false (byte `,
		`{"labels":"production"}`:               `labels is a text; give a list (byte `,
		`{"labels":["a",1]}`:                    `item 1 of /labels is a number; give a text: "1" (byte `,
		`{"inner":[]}`:                          `inner is a list; give an object (byte `,
		`{"inner":{"texts":[1]}}`:               `item 0 of /inner/texts is a number; give a text: "1" (byte `,
		`{"at":7}`:                              `at is a number; give a time: "2026-11-23T15:04:05Z" (byte `,
		`{"ops":[{"save":{"text":1}}]}`:         `text in /ops/0/save is a number; give a text: "1" (byte `,
		`{"ops":[{"delete":{"force":"yes"}}]}`:  `force in /ops/0/delete is a text; give true or false (byte `,
		`{"variables": {"count" : 3 } }`:        `count in /variables is a number; give a text: "3" (byte `,
		`{"text":"` + long + `","limit":"3"}`:   `limit is a text; give a whole number (byte `,
		`[]`:                                    `the JSON value is a list; give an object (byte `,
		`{"variables":{"a\nb":3}}`:              `"a\nb" in /variables is a number`,
		`{"variables":{"n":` + long12 + `345}}`: `n in /variables is a number; give a text (byte `,
	} {
		var b body
		err := stet.Decode(strings.NewReader(in), &b)
		if stet.CodeOf(err) != stet.CodeInvalid || !strings.Contains(err.Error(), want) {
			t.Errorf("%s:\n got  %v\n want %s", in, err, want)
		}
		if err != nil && (len(err.Error()) > 400 || strings.ContainsAny(err.Error(), "\n\x1b")) {
			t.Errorf("%s: the error is too long, or has control characters: %q", in, err)
		}
	}
}

var (
	long   = strings.Repeat("x", 5000)
	long12 = strings.Repeat("12", 100)
)
