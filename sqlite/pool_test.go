package sqlite

import "testing"

// Who comes for a connection when they have all been closed is not left waiting: a
// reader that had found the log open may come that late.
func TestReadAfterPoolClosed(t *testing.T) {
	l := newLog(t)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	err := l.readers.do(t.Context(), func(*conn) error {
		t.Error("there is a connection left")
		return nil
	})
	if err != errClosed {
		t.Errorf("%v, and should be %v", err, errClosed)
	}
}
