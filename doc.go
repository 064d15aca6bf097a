// Package stet is a version store for prompts.
package stet
