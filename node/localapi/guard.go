package localapi

import (
	"crypto/subtle"
	"net"
	"net/http"
	"strings"
)

// guard lets in over TCP only who has the token. A web page cannot use a
// user's browser to get in: it has no token, its Origin is refused, and a name
// that was made to point here is not among the hosts answered to.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := s.admit(r); err != nil {
			replyError(w, err)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (s *Server) admit(r *http.Request) error {
	if !knownHost(r.Host, s.cfg.Addr) {
		return Errorf(CodeUnauthorized, "host %q is not served here", r.Host).WithHint("use the address given to --api")
	}
	if r.Header.Get("Origin") != "" {
		return Errorf(CodeUnauthorized, "web pages are not served")
	}
	token, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || subtle.ConstantTimeCompare([]byte(token), []byte(s.token)) != 1 {
		return Errorf(CodeUnauthorized, "no token, or a wrong one").WithHint("send what is in %s of the data directory as bearer token", tokenFile)
	}
	return nil
}

// knownHost allows IP addresses, localhost and the very name listened on. Any
// other name may belong to someone who pointed it at this machine.
func knownHost(host, addr string) bool {
	name := hostname(host)
	return net.ParseIP(name) != nil || name == "localhost" || name == hostname(addr)
}

func hostname(hostport string) string {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}
