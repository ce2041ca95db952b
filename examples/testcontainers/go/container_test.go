package partner

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/wait"

	"example.com/partner/leadgate"
)

func TestWithAContainer(t *testing.T) {
	if os.Getenv("LEADGATE_URL") != "" {
		t.Skip("LEADGATE_URL names a server that runs")
	}
	leadgate.Flow(t, start(t))
}

func start(t *testing.T) leadgate.Server {
	t.Helper()
	port, token := freePort(t), secret(t)
	server := leadgate.Server{URL: fmt.Sprintf("http://localhost:%d", port), SandboxToken: token}
	container, err := testcontainers.GenericContainer(context.Background(), testcontainers.GenericContainerRequest{
		ContainerRequest: testcontainers.ContainerRequest{
			Image:        cmp.Or(os.Getenv("LEADGATE_TEST_IMAGE"), "leadgate"),
			ExposedPorts: []string{fmt.Sprintf("%d:8080/tcp", port)},
			Env: map[string]string{
				"LEADGATE_ISSUER":        server.URL,
				"LEADGATE_MODE":          "sandbox",
				"LEADGATE_SANDBOX_TOKEN": token,
				"LEADGATE_DATABASE_URL":  "sqlite::memory:",
			},
			WaitingFor: wait.ForHTTP("/readyz").WithPort("8080/tcp"),
		},
		Started: true,
	})
	testcontainers.CleanupContainer(t, container)
	if err != nil {
		t.Fatal(err)
	}
	return server
}

func freePort(t *testing.T) int {
	t.Helper()
	probe, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer probe.Close()
	return probe.Addr().(*net.TCPAddr).Port
}

func secret(t *testing.T) string {
	t.Helper()
	bytes := make([]byte, 24)
	if _, err := rand.Read(bytes); err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(bytes)
}
