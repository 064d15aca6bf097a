module github.com/stet-dev/stet

go 1.26.8
