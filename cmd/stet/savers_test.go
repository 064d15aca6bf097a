package main

import (
	"context"
	"fmt"
	"os"

	"github.com/stet-dev/stet"
	"github.com/stet-dev/stet/open"
)

// savers is a program that saves to the store of a stet serve in the same directory,
// eight versions at a time, until it is killed or a save fails.
func savers() {
	ctx := context.Background()
	s, err := open.Store(ctx, "sqlite:stet.db", &open.Options{Running: func(int) {}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	failed := make(chan error)
	for w := range 8 {
		go func() {
			for i := 0; ; i++ {
				_, err := s.Save(ctx, stet.Draft{PromptID: fmt.Sprintf("busy/%d", i%25), Text: fmt.Sprintf("%d.%d", w, i), Bump: "patch"})
				if err != nil {
					failed <- err
					return
				}
			}
		}()
	}
	fmt.Fprintln(os.Stderr, <-failed)
	os.Exit(1)
}
