package httpapi

import "strings"

// hostilePaths are paths and ids that lead nowhere, or elsewhere than they seem to.
func hostilePaths() []hostile {
	long, longer := strings.Repeat("x", 257), strings.Repeat("x", 10<<10)
	rows := []hostile{
		{what: "an id of ..", line: "GET /v1/prompts/..", want: "404 not_found"},
		{what: "an id of .. encoded", line: "GET /v1/prompts/%2e%2e", want: "400 invalid"},
		{what: "an id of ..%2F..", line: "GET /v1/prompts/..%2F..%2Fetc%2Fpasswd/versions/latest", want: "400 invalid"},
		{what: "an id of %2e%2e%2f", line: "GET /v1/prompts/%2e%2e%2fetc/versions/latest", want: "400 invalid"},
		{what: "an id with a segment ..", line: "GET /v1/prompts/a%2F..%2Fb/versions/latest", want: "400 invalid"},
		{what: "an id with a segment .", line: "GET /v1/prompts/a%2F.%2Fb", want: "400 invalid"},
		{what: "an id encoded twice", line: "GET /v1/prompts/support%252Ftriage", want: "404 not_found"},
		{what: "an id of a dot", line: "GET /v1/prompts/.", want: "404 not_found"},
		{what: "an id of a dot encoded", line: "GET /v1/prompts/%2e", want: "400 invalid"},
		{what: "an empty id", line: "GET /v1/prompts//versions/latest", want: "404 not_found"},
		{what: "an empty segment encoded", line: "GET /v1/prompts/a%2F%2Fb", want: "400 invalid"},
		{what: "an id with a slash in front", line: "GET /v1/prompts/%2Fa", want: "400 invalid"},
		{what: "an id with a slash behind", line: "GET /v1/prompts/a%2F", want: "400 invalid"},
		{what: "an id of a slash", line: "GET /v1/prompts/%2F", want: "400 invalid"},
		{what: "an id with plain slashes", line: "GET /v1/prompts/support/triage", want: "404 not_found"},
		{what: "an id with NUL", line: "GET /v1/prompts/a%00b/versions/latest", want: "400 invalid"},
		{what: "an id of NUL", line: "GET /v1/prompts/%00", want: "400 invalid"},
		{what: "an id with a newline", line: "GET /v1/prompts/a%0Ab", want: "400 invalid"},
		{what: "an id that splits a header", line: "GET /v1/prompts/a%0D%0ASet-Cookie:%20x=1", want: "400 invalid"},
		{what: "an id with DEL", line: "GET /v1/prompts/a%7Fb", want: "400 invalid"},
		{what: "an id with an escape sequence", line: "GET /v1/prompts/%1B%5B31mred", want: "400 invalid"},
		{what: "an id with a C1 control", line: "GET /v1/prompts/a%C2%9B31m", want: "400 invalid"},
		{what: "an id with a right-to-left override", line: "GET /v1/prompts/a%E2%80%AEb", want: "400 invalid"},
		{what: "an id with a zero-width space", line: "GET /v1/prompts/a%E2%80%8Bb", want: "400 invalid"},
		{what: "an id with a byte order mark", line: "GET /v1/prompts/%EF%BB%BFa", want: "400 invalid"},
		{what: "an id with a line separator", line: "GET /v1/prompts/a%E2%80%A8b", want: "400 invalid"},
		{what: "an id with a tag character", line: "GET /v1/prompts/a%F3%A0%81%81", want: "400 invalid"},
		{what: "an id with an unassigned code point", line: "GET /v1/prompts/%CD%B8", want: "400 invalid"},
		{what: "an id with a noncharacter", line: "GET /v1/prompts/%EF%BF%BF", want: "400 invalid"},
		{what: "an id that is not in NFC", line: "GET /v1/prompts/e%CC%81", want: "400 invalid"},
		{what: "an id with a space in front", line: "GET /v1/prompts/%20a", want: "400 invalid"},
		{what: "an id with a space behind", line: "GET /v1/prompts/a%20", want: "400 invalid"},
		{what: "an id with a tab", line: "GET /v1/prompts/a%09b", want: "400 invalid"},
		{what: "an id that is not UTF-8", line: "GET /v1/prompts/%FF", want: "400 invalid"},
		{what: "an id with an overlong slash", line: "GET /v1/prompts/..%C0%AF..%C0%AFetc", want: "400 invalid"},
		{what: "an id with a surrogate in UTF-8", line: "GET /v1/prompts/%ED%A0%80", want: "400 invalid"},
		{what: "an id cut in a character", line: "GET /v1/prompts/%E2%82", want: "400 invalid"},
		{what: "an id with raw bytes above 127", line: "GET /v1/prompts/\xff\xfe", want: "400 invalid"},
		{what: "an id with @", line: "GET /v1/prompts/a%40latest/versions/latest", want: "400 invalid"},
		{what: "an id with a plain @", line: "GET /v1/prompts/a@latest/versions", want: "400 invalid"},
		{what: "an id with #", line: "GET /v1/prompts/a%23b", want: "400 invalid"},
		{what: "an id with ~", line: "GET /v1/prompts/~root", want: "400 invalid"},
		{what: "an id of 257 bytes", line: "GET /v1/prompts/" + long, want: "400 invalid"},
		{what: "an id of 257 bytes, written to", line: "POST /v1/prompts/" + long + "/versions", body: `{"text":"x"}`, want: "400 invalid"},
		{what: "an id of 256 bytes", line: "GET /v1/prompts/" + long[1:], want: "404 not_found"},
		{what: "an id of 10 KB", line: "GET /v1/prompts/" + longer, want: "400 invalid"},
		{what: "an id of 5 KB of NUL", line: "GET /v1/prompts/" + strings.Repeat("%00", 5<<10), want: "400 invalid"},
		{what: "an id of 3,000 segments", line: "GET /v1/prompts/" + strings.Repeat("a%2F", 3000), want: "400 invalid"},
		{what: "an id of 100 characters of three bytes", line: "GET /v1/prompts/" + strings.Repeat("%E4%B8%AD", 100), want: "400 invalid"},
		{what: "a path of 1,000 segments", line: "GET " + strings.Repeat("/a", 1000), want: "404 not_found"},
		{what: "a path of 1,000 times ..", line: "GET " + strings.Repeat("/..", 1000) + "/etc/passwd", want: "404 not_found"},
		{what: "an id that is a word of the API", line: "GET /v1/prompts/labels/versions/latest", want: "404 not_found"},
		{what: "an id that is another word of it", line: "GET /v1/prompts/versions/versions/nobody", want: "404 not_found"},
		{what: "a write to NUL", line: "POST /v1/prompts/%00/versions", body: `{"text":"x"}`, want: "400 invalid"},
		{what: "a write above the root", line: "POST /v1/prompts/..%2F..%2Fx/versions", body: `{"text":"x"}`, want: "400 invalid"},
		{what: "a write to an id with @", line: "POST /v1/prompts/a%40b/versions", body: `{"text":"x"}`, want: "400 invalid"},
		{what: "a delete of NUL", line: "DELETE /v1/prompts/%00", want: "400 invalid"},
		{what: "a delete of what is not UTF-8", line: "DELETE /v1/prompts/%FF?force=true", want: "400 invalid"},
		{what: "a delete of a prefix", line: "DELETE /v1/prompts/support%2F", want: "400 invalid"},
		{what: "a delete of a wildcard", line: "DELETE /v1/prompts/*?force=true", head: "If-Match: *", want: "400 invalid"},
		{what: "plain text of nothing", line: "GET /p/", want: "400 invalid"},
		{what: "plain text of no id", line: "GET /p/@latest", want: "400 invalid"},
		{what: "plain text above the root", line: "GET /p/../../etc/passwd", want: "404 not_found"},
		{what: "plain text above the root, encoded", line: "GET /p/%2e%2e/%2e%2e/etc/passwd", want: "400 invalid"},
		{what: "plain text with two slashes", line: "GET /p/support//triage", want: "404 not_found"},
		{what: "plain text with two slashes, encoded", line: "GET /p/support%2F%2Ftriage", want: "400 invalid"},
		{what: "plain text with a slash behind", line: "GET /p/support/triage/", want: "400 invalid"},
		{what: "plain text of two selectors", line: "GET /p/a@1.0.0@2.0.0", want: "400 invalid"},
		{what: "plain text with NUL", line: "GET /p/a%00@latest", want: "400 invalid"},
		{what: "plain text with a semicolon", line: "GET /p/a;v=1", want: "404 not_found"},
		{what: "a slash behind", line: "GET /v1/prompts/", want: "404 not_found"},
		{what: "two slashes in front", line: "GET //v1/prompts", want: "404 not_found"},
		{what: "a backslash", line: `GET /v1\prompts`, want: "404 not_found"},
		{what: "another version of the API", line: "GET /v2/prompts", want: "404 not_found"},
		{what: "upper case", line: "GET /V1/PROMPTS", want: "404 not_found"},
		{what: "the root", line: "GET /", want: "404 not_found"},
		{what: "a page of another program", line: "GET /.git/config", want: "404 not_found"},
		{what: "a label of NUL", line: "GET /v1/prompts/a/labels/%00", want: "400 invalid"},
		{what: "a label that is a path", line: "GET /v1/prompts/a/labels/..%2F..", want: "400 invalid"},
		{what: "a label in upper case", line: "GET /v1/prompts/a/labels/Production", want: "400 invalid"},
		{what: "a label of 64 bytes", line: "GET /v1/prompts/a/labels/" + strings.Repeat("x", 64), want: "400 invalid"},
		{what: "a label of 10 KB", line: "GET /v1/prompts/a/labels/" + longer, want: "400 invalid"},
		{what: "a label that is not ASCII", line: "GET /v1/prompts/a/labels/%C3%BC", want: "400 invalid"},
	}
	for _, reserved := range []string{"latest", "current", "x", "1", "v1", "1.0.0", "1.x"} {
		rows = append(rows, hostile{what: "a label named " + reserved, line: "PUT /v1/prompts/a/labels/" + reserved, body: `{"version":"1.0.0"}`, want: "400 invalid"})
	}
	return rows
}

// hostileSelectors are selectors and ranges.
func hostileSelectors() []hostile {
	const at = "GET /v1/prompts/a/versions/"
	rows := []hostile{
		{what: "a number that is not there", line: at + "9.9.9", want: "404 not_found"},
		{what: "a range that nothing is in", line: at + "%5E9", want: "404 not_found"},
		{what: "a range that can hold nothing", line: at + "%3E2%20%3C1", want: "404 not_found"},
		{what: "a label that is not there", line: at + "nobody", want: "404 not_found"},
		{what: "an ordinal that is not there", line: at + "%2399", want: "404 not_found"},
		{what: "a digest that is not there", line: at + "sha256:" + strings.Repeat("0", 64), want: "404 not_found"},
		{what: "two selectors in one", line: at + "1.0.0%40latest", want: "400 invalid"},
		{what: "a delete by a label", line: "DELETE /v1/prompts/a/versions/staging?force=true", want: "400 invalid"},
		{what: "a delete by a range", line: "DELETE /v1/prompts/a/versions/*?force=true", want: "400 invalid"},
		{what: "a delete by an ordinal", line: "DELETE /v1/prompts/a/versions/%231?force=true", want: "400 invalid"},
		{what: "conflicting numbers in a range", line: at + "1.0.0%202.0.0", want: "404 not_found"},
	}
	for what, selector := range map[string]string{
		"NUL": "%00", "a line feed": "1.0.0%0A", "not UTF-8": "%FF", "a right-to-left override": "%E2%80%AElatest",
		"257 bytes": strings.Repeat("1", 257), "10 KB": strings.Repeat("x", 10<<10), "17 alternatives": strings.Repeat("1%7C%7C", 17) + "1",
		"33 comparators": strings.Repeat("%3E1%20", 33), "build metadata": "1.0.0+build", "a leading zero": "01.0.0", "four parts": "1.2.3.4",
		"a part of 2^63": "9223372036854775808.0.0", "a part of a hundred digits": strings.Repeat("9", 100) + ".0.0", "a negative part": "-1.0.0", "a float": "1e3",
		"an operator alone": "%3E", "two operators": "%5E%5E1", "an unknown operator": "%3D%3D1", "an ordinal of 0": "%230", "an ordinal below 0": "%23-1",
		"an ordinal of 2^64": "%2318446744073709551616", "an ordinal of nothing": "%23", "an ordinal with a sign": "%23+1", "a digest of 7 digits": "sha256:0123456",
		"a digest of 65 digits": "sha256:" + strings.Repeat("0", 65), "a digest of another hash": "md5:0123456789abcdef",
		"an empty pre-release": "1.0.0-", "a path": "..%2F..%2F1.0.0", "another case": "LATEST", "a space": "%20", "a comma": "1.0.0,2.0.0", "nothing": "%40",
	} {
		rows = append(rows, hostile{what: "a selector: " + what, line: at + selector, want: "400 invalid"})
	}
	return rows
}

// hostileQueries are parameters.
func hostileQueries() []hostile {
	rows := []hostile{
		{what: "a limit, twice", line: "GET /v1/prompts?limit=1&limit=2", want: "400 invalid"},
		{what: "the same limit, twice", line: "GET /v1/prompts?limit=1&limit=1", want: "400 invalid"},
		{what: "a limit, twice and encoded once", line: "GET /v1/prompts?limit=1&%6Cimit=1", want: "400 invalid"},
		{what: "a semicolon between", line: "GET /v1/prompts?limit=1;cursor=x", want: "400 invalid"},
		{what: "an array as PHP has it", line: "GET /v1/prompts?prefix[]=a", want: "400 invalid"},
		{what: "no parameter's name", line: "GET /v1/prompts?=1", want: "400 invalid"},
		{what: "a name that is not percent-encoded", line: "GET /v1/prompts?%zz=1", want: "400 invalid"},
		{what: "a value that is not percent-encoded", line: "GET /v1/prompts?prefix=%", want: "400 invalid"},
		{what: "a value that is not UTF-8", line: "GET /v1/prompts?prefix=%FF", want: "400 invalid"},
		{what: "a name with controls", line: "GET /v1/prompts?%1B%5B31m=1", want: "400 invalid"},
		{what: "1,000 parameters", line: "GET /v1/prompts?" + strings.Repeat("prefix=a&", 1000), want: "400 invalid"},
		{what: "a name of 10 KB", line: "GET /v1/prompts?" + strings.Repeat("x", 10<<10) + "=1", want: "400 invalid"},
		{what: "a value of 10 KB", line: "GET /v1/prompts?limit=" + strings.Repeat("1", 10<<10), want: "400 invalid"},
		{what: "a prefix of 10 KB", line: "GET /v1/prompts?prefix=" + strings.Repeat("x", 10<<10), want: "400 invalid"},
		{what: "a prefix with NUL", line: "GET /v1/prompts?prefix=%00", want: "400 invalid"},
		{what: "a prefix above the root", line: "GET /v1/prompts?prefix=..%2F", want: "400 invalid"},
		{what: "a prefix of an empty segment", line: "GET /v1/prompts?prefix=a%2F%2F", want: "400 invalid"},
		{what: "a label that cannot be", line: "GET /v1/prompts?label=latest", want: "400 invalid"},
		{what: "a label with NUL in a query", line: "GET /v1/prompts?label=%00", want: "400 invalid"},
		{what: "an order that is none", line: "GET /v1/prompts/a/versions?order=random", want: "400 invalid"},
		{what: "an empty order", line: "GET /v1/prompts/a/versions?order=", want: "400 invalid"},
		{what: "a parameter of another operation", line: "GET /v1/prompts/a?order=asc", want: "400 invalid"},
		{what: "another parameter of another operation", line: "GET /v1/prompts/a/labels/production?order=asc", want: "400 invalid"},
		{what: "a cursor of another list", line: "GET /v1/prompts?cursor={next.versions}", want: "400 invalid"},
		{what: "a cursor of prompts for versions", line: "GET /v1/prompts/a/versions?cursor={next.prompts}", want: "400 invalid"},
		{what: "a cursor of moves for versions", line: "GET /v1/prompts/a/versions?cursor={next.moves}", want: "400 invalid"},
		{what: "a cursor of versions for moves", line: "GET /v1/prompts/a/labels/production?cursor={next.versions}", want: "400 invalid"},
		// A cursor is a place in a list of its kind, and is good where the place is.
		{what: "a cursor of another prompt", line: "GET /v1/prompts/support%2Ftriage/versions?cursor={next.versions}", want: "200"},
		{what: "a cursor of another order", line: "GET /v1/prompts/a/versions?order=asc&cursor={next.versions}", want: "200"},
		{what: "a cursor of another label", line: "GET /v1/prompts/a/labels/staging?cursor={next.moves}", want: "400 invalid"},
		{what: "a cursor of another prefix", line: "GET /v1/prompts?prefix=s&cursor={next.prompts}", want: "200"},
		{what: "a cursor of another revision", line: "GET /v1/prompts/a/versions?at=2&cursor={next.versions}", want: "200"},
		{what: "a cursor of another store", line: "GET /v1/prompts/a/versions?cursor={foreign.versions}", want: "400 invalid"},
		{what: "a cursor of another store's prompts", line: "GET /v1/prompts?cursor={foreign.prompts}", want: "400 invalid"},
		{what: "a cursor of another store's moves", line: "GET /v1/prompts/a/labels/production?cursor={foreign.moves}", want: "400 invalid"},
		{what: "a cursor with something behind", line: "GET /v1/prompts/a/versions?cursor={next.versions}x", want: "400 invalid"},
		{what: "a cursor twice over", line: "GET /v1/prompts/a/versions?cursor={next.versions}{next.versions}", want: "400 invalid"},
		{what: "a cursor of NUL", line: "GET /v1/prompts?cursor=%00", want: "400 invalid"},
		{what: "a cursor of 10 KB", line: "GET /v1/prompts?cursor=" + strings.Repeat("A", 10<<10), want: "400 invalid"},
		{what: "a revision that is to come", line: "GET /v1/prompts/a/versions/latest?at=99", want: "404 not_found"},
		{what: "a time before everything", line: "GET /v1/prompts/a/versions/latest?at=0001-01-02T00:00:00Z", want: "404 not_found"},
		{what: "force that is neither", line: "DELETE /v1/prompts/a?force=yes", want: "400 invalid"},
		{what: "force, twice", line: "DELETE /v1/prompts/a?force=true&force=false", want: "400 invalid"},
		{what: "force in another case", line: "DELETE /v1/prompts/a?force=TRUE", want: "400 invalid"},
		{what: "force without a value", line: "DELETE /v1/prompts/a?force", want: "400 invalid"},
		{what: "a draft in the query", line: "POST /v1/prompts/a/versions?text=x", body: `{"text":"x"}`, want: "400 invalid"},
		{what: "a confirmation in the query", line: "DELETE /v1/prompts?confirm=clear", want: "400 invalid"},
		{what: "a diff from nothing that there is", line: "GET /v1/prompts/a/diff?from=9.9.9", want: "404 not_found"},
		{what: "a diff to what is no selector", line: "GET /v1/prompts/a/diff?to=%00", want: "400 invalid"},
		{what: "a diff of another prompt", line: "GET /v1/prompts/a/diff?from=support/triage%40latest", want: "400 invalid"},
		{what: "a revision of 2^63", line: "GET /v1/prompts?min_revision=9223372036854775808", want: "400 invalid"},
		{what: "a past revision with a zero before it", line: "GET /v1/prompts/a?at=01", want: "400 invalid"},
		{what: "a revision with a sign", line: "GET /v1/prompts?min_revision=%2B1", want: "400 invalid"},
		{what: "a revision in another base", line: "GET /v1/prompts?min_revision=0x10", want: "400 invalid"},
		{what: "a revision in other digits", line: "GET /v1/prompts?min_revision=%D9%A1", want: "400 invalid"},
		{what: "an empty revision", line: "GET /v1/prompts?min_revision=", want: "400 invalid"},
	}
	for _, limit := range []string{"0", "-1", "1001", "1000000000", "1e3", "x", "1.0", "", "%201", "0x1", "99999999999999999999", "1%00"} {
		rows = append(rows, hostile{what: "a limit of " + limit, line: "GET /v1/prompts/a/versions?limit=" + limit, want: "400 invalid"})
	}
	for _, cursor := range []string{"x", "%25", "AAAA", "eyJhIjoxfQ%3D%3D", "1", "-1", "null"} {
		rows = append(rows, hostile{what: "a cursor of " + cursor, line: "GET /v1/prompts?cursor=" + cursor, want: "400 invalid"})
	}
	for _, at := range []string{"0", "-1", "yesterday", "2026-13-01T00:00:00Z", "2026-11-23", "2026-11-23T15:04:05", "2026-11-23T15:04:05%2B99:00", "0001-01-01T00:00:00Z", "99999999999999999999", "1e400", "NaN", ""} {
		rows = append(rows, hostile{what: "at " + at, line: "GET /v1/prompts/a/versions/latest?at=" + at, want: "400 invalid"})
	}
	return rows
}
