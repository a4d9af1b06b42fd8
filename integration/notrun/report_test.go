package main

import (
	"strings"
	"testing"
)

func TestReport(t *testing.T) {
	t.Parallel()
	const events = `{"Action":"output","Package":"m/a","Test":"TestGood","Output":"quiet\n"}
{"Action":"pass","Package":"m/a","Test":"TestGood"}
{"Action":"output","Package":"m/a","Test":"TestTmux","Output":"    a_test.go:3: not run: needs tmux\n"}
{"Action":"skip","Package":"m/a","Test":"TestTmux"}
{"Action":"output","Package":"m/a","Test":"TestNet","Output":"    a_test.go:9: not run: needs root\n"}
{"Action":"skip","Package":"m/a","Test":"TestNet"}
{"Action":"output","Package":"m/a","Test":"TestWindows","Output":"    a_test.go:5: no such modes here\n"}
{"Action":"skip","Package":"m/a","Test":"TestWindows"}
{"Action":"output","Package":"m/a","Output":"-test.shuffle 17\n"}
{"Action":"output","Package":"m/a","Output":"PASS\n"}
{"Action":"output","Package":"m/a","Output":"ok  \tm/a\t0.1s\n"}
{"Action":"output","Package":"m/b","Test":"TestBad","Output":"--- FAIL: TestBad\n"}
{"Action":"fail","Package":"m/b","Test":"TestBad"}
{"Action":"output","Package":"m/b","Output":"-test.shuffle 18\n"}
{"Action":"output","Package":"m/b","Output":"FAIL\tm/b\t0.1s\n"}
{"Action":"output","Package":"m/d","Output":"?   \tm/d\t[no test files]\n"}
{"Action":"build-output","ImportPath":"m/c","Output":"c.go:1: no\n"}
{"Action":"output","Package":"m/b","Test":"TestHangs","Output":"panic: timed out\n"}
past go test
`
	const want = `ok  	m/a	0.1s
--- FAIL: TestBad
-test.shuffle 18
FAIL	m/b	0.1s
c.go:1: no
past go test
--- m/b TestHangs did not end
panic: timed out

not run, for want of
  root: a.TestNet
  tmux: a.TestTmux
`
	var out strings.Builder
	r := newReport(&out)
	for line := range strings.Lines(events) {
		r.line([]byte(line))
	}
	r.close()
	if out.String() != want {
		t.Errorf("got\n%s\nwant\n%s", &out, want)
	}
}
