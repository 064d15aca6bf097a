package main

// asNobody is main: there are no modes that it could be kept out by.
func asNobody() { main() }
