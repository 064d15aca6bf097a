// Package name says what may be the id of a prompt and the name of a label, and
// makes what cannot be seen in a text visible.
//
// An id is for people to read, type and compare by eye, in any language; so it
// may have spaces, Chinese or emoji, but nothing that two people could see alike
// and a program differently: it is in Unicode's normalization form C, and has no
// characters that are invisible. Look-alikes across scripts (a Latin and a
// Cyrillic а) are not refused.
//
// Which characters are assigned at all is a matter of Go's version of Unicode: a
// newer one takes more ids. Those not assigned yet are refused because no one
// can say what their normal form will be; for all others it never changes.
package name
