package core

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stet-dev/stet"
)

// A commit that no writer ever took has changed nothing, also if its time runs out when the
// store is closed already.
func TestClosedAndOutOfTime(t *testing.T) {
	for range 50 { // it is a matter of chance what a select picks
		synctest.Test(t, func(t *testing.T) {
			c := &core{stopped: make(chan struct{})}
			close(c.stopped)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			<-ctx.Done()
			if err := c.wait(ctx, &request{id: "x", answered: make(chan struct{})}); stet.CodeOf(err) != stet.CodeUnavailable {
				t.Fatalf("it is told: %v", err)
			}
		})
	}
}
