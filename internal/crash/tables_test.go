package crash

import (
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// tables holds what a person sees in a closed file against the log: the versions
// that live, all of them and no others, and where their labels are.
func (l *ledger) tables(path string) error {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return err
	}
	defer db.Close()
	rows, err := db.Query("SELECT prompt_id, version, coalesce(labels, '') FROM versions")
	if err != nil {
		return err
	}
	defer rows.Close()
	want := make(map[string]string)
	for prompt, versions := range l.alive {
		for v := range versions {
			var at []string
			for label, place := range l.places[prompt] {
				if place.String() == v {
					at = append(at, label)
				}
			}
			slices.Sort(at)
			want[prompt+"@"+v] = strings.Join(at, ", ")
		}
	}
	is := make(map[string]string)
	for rows.Next() {
		var prompt, version, labels string
		if err := rows.Scan(&prompt, &version, &labels); err != nil {
			return err
		}
		at := strings.Split(labels, ", ")
		slices.Sort(at)
		if is[prompt+"@"+version] = strings.Join(at, ", "); labels == "" {
			is[prompt+"@"+version] = ""
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if !maps.Equal(is, want) {
		for ref, at := range is {
			if w, ok := want[ref]; !ok || w != at {
				return fmt.Errorf("the file has %s with the labels %q; by the log %q (there: %t)", ref, at, w, ok)
			}
		}
		return fmt.Errorf("the file has %d versions, and by the log %d live", len(is), len(want))
	}
	return nil
}
