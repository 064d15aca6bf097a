// Package scale measures how stores behave when they are large: how long they
// take to open, what they hold in memory and on disk, and what reads, saves and
// checks cost, of one store and as stores grow. It draws the growth as well.
package scale
