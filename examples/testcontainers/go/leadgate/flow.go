package leadgate

import "testing"

// Flow is the test itself: an hour after the sign-in the token is refreshed.
func Flow(t *testing.T, server Server) {
	t.Helper()
	signIn, err := server.Allow("ada@acme.test")
	if err != nil || !signIn.Valid {
		t.Fatalf("no sign-in: %+v, %v", signIn, err)
	}
	expect(t, server, signIn.AuthToken, 200)
	if err := server.Advance("1h"); err != nil {
		t.Fatal(err)
	}
	expect(t, server, signIn.AuthToken, 401)
	fresh, err := server.Refresh(signIn.RefreshToken)
	if err != nil || !fresh.Valid {
		t.Fatalf("no refresh: %v", err)
	}
	expect(t, server, fresh.AuthToken, 200)
}

func expect(t *testing.T, server Server, token string, status int) {
	t.Helper()
	if found, err := server.Me(token); err != nil || found != status {
		t.Fatalf("/v1/me: %d, %v; expected %d", found, err, status)
	}
}
