package keys

import "time"

// Replace is replace, for tests.
var Replace = replace

// Sleep makes a ring one whose process has just been continued: nobody looked for d, and
// it is the timer that is heard first.
func (r *Ring) Sleep(d time.Duration) {
	r.mu.Lock()
	r.known = r.known.Add(-d)
	r.mu.Unlock()
	r.refuse()
}
