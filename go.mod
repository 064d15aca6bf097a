module github.com/stet-dev/stet

go 1.26.8

require (
	github.com/Masterminds/semver/v3 v3.5.0
	github.com/go-json-experiment/json v1.27.2
	github.com/google/uuid v1.6.0
	github.com/puzpuzpuz/xsync/v4 v4.5.0
	github.com/tidwall/btree v1.8.2
	golang.org/x/mod v0.42.0
	golang.org/x/text v0.43.0
	pgregory.net/rapid v1.3.0
)
