module example.com/partner

go 1.23

require github.com/testcontainers/testcontainers-go v0.38.0
