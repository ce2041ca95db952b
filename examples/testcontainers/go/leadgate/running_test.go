package leadgate

import (
	"os"
	"testing"
)

func TestWithAServerThatRuns(t *testing.T) {
	url := os.Getenv("LEADGATE_URL")
	if url == "" {
		t.Skip("LEADGATE_URL names no server")
	}
	Flow(t, Server{URL: url, SandboxToken: os.Getenv("LEADGATE_SANDBOX_TOKEN")})
}
