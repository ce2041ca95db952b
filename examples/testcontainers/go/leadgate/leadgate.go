// Package leadgate talks to a Leadgate in tests.
package leadgate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
)

// App is the demonstration's.
const App = "0c9a51ce-8f0e-4f0e-9d4e-7b7f0f0f0001"

// Server is one that runs.
type Server struct {
	URL          string
	SandboxToken string
}

// SignIn is what the page's AuthorizeResult would get.
type SignIn struct {
	Valid        bool   `json:"valid"`
	RefreshToken string `json:"refreshToken"`
	AuthToken    string `json:"authToken"`
}

// Allow decides a click on the demonstration's button.
func (s Server) Allow(user string) (SignIn, error) {
	var result SignIn
	body := map[string]string{"user": user, "button": "btn-demonstration", "decision": "allow"}
	return result, s.sandbox("/authorize", body, &result)
}

// Advance lets time pass, "1h" for instance.
func (s Server) Advance(span string) error {
	return s.sandbox("/clock", map[string]string{"advance": span}, nil)
}

// Refresh gives another access token.
func (s Server) Refresh(refreshToken string) (SignIn, error) {
	var result SignIn
	address := fmt.Sprintf("%s/authorize/refreshaccesstoken/%s?appid=%s", s.URL, url.PathEscape(refreshToken), App)
	request, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		return result, err
	}
	_, err = send(request, &result)
	return result, err
}

// Me answers the status of a call with the token.
func (s Server) Me(accessToken string) (int, error) {
	request, err := http.NewRequest(http.MethodGet, s.URL+"/v1/me", nil)
	if err != nil {
		return 0, err
	}
	request.Header.Set("Authorization", "Bearer "+accessToken)
	return send(request, nil)
}

func (s Server) sandbox(path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	request, err := http.NewRequest(http.MethodPost, s.URL+"/_sandbox"+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+s.SandboxToken)
	request.Header.Set("Content-Type", "application/json")
	status, err := send(request, into)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%s: %d", path, status)
	}
	return err
}

func send(request *http.Request, into any) (int, error) {
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if into == nil || response.StatusCode != http.StatusOK {
		return response.StatusCode, nil
	}
	return response.StatusCode, json.NewDecoder(response.Body).Decode(into)
}
