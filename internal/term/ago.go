package term

import (
	"fmt"
	"time"
)

// Ago says when t was, for a person who reads it now: "3 days ago". A time that
// is to come, by more than clocks differ, is written out.
func Ago(now, t time.Time) string {
	const day = 24 * time.Hour
	d := now.Sub(t)
	switch {
	case d < -time.Minute:
		return t.Local().Format("2006-01-02 15:04")
	case d < 10*time.Second:
		return "just now"
	case d < time.Minute:
		return count(d, time.Second, "second")
	case d < time.Hour:
		return count(d, time.Minute, "minute")
	case d < day:
		return count(d, time.Hour, "hour")
	case d < 14*day:
		return count(d, day, "day")
	case d < 60*day:
		return count(d, 7*day, "week")
	case d < 2*365*day:
		return count(d, 30*day, "month")
	}
	return count(d, 365*day, "year")
}

func count(d, unit time.Duration, name string) string {
	n := int(d / unit)
	if n == 1 {
		return "1 " + name + " ago"
	}
	return fmt.Sprintf("%d %ss ago", n, name)
}
