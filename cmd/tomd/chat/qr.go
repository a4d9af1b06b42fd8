package chat

import (
	"bytes"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/mdp/qrterminal/v3"
)

// quiet is the empty frame that readers of QR codes need, in modules.
const quiet = 2

// qr is a link as a QR code that fits, two modules a cell, and what it holds: a
// contact's link loses its addresses but the first, or all, before there is no
// code. It is nil if nothing fits.
func qr(link string, width, height int) (rows []string, holds string) {
	for _, text := range shorter(link) {
		rows := encode(text)
		if len(rows) <= height && ansi.StringWidth(rows[0]) <= width {
			return rows, text
		}
	}
	return nil, ""
}

// qrSize is what the code of the shortest form takes, in cells.
func qrSize(link string) (width, height int) {
	forms := shorter(link)
	rows := encode(forms[len(forms)-1])
	return ansi.StringWidth(rows[0]), len(rows)
}

func encode(text string) []string {
	var b bytes.Buffer
	qrterminal.GenerateWithConfig(text, qrterminal.Config{
		Level: qrterminal.L, Writer: &b, HalfBlocks: true, QuietZone: quiet,
		BlackChar: qrterminal.BLACK_BLACK, BlackWhiteChar: qrterminal.BLACK_WHITE,
		WhiteChar: qrterminal.WHITE_WHITE, WhiteBlackChar: qrterminal.WHITE_BLACK,
	})
	return strings.Split(strings.TrimRight(b.String(), "\n"), "\n")
}

// shorter are the forms of a link, the longest first.
func shorter(link string) []string {
	base, query, _ := strings.Cut(link, "?")
	if !strings.HasPrefix(base, "tom:peer/") {
		return []string{link}
	}
	var addr, name string
	for _, part := range strings.Split(query, "&") {
		switch {
		case strings.HasPrefix(part, "a=") && addr == "":
			addr = part
		case strings.HasPrefix(part, "n="):
			name = part
		}
	}
	with := func(parts ...string) string {
		parts = slicesWithout(parts, "")
		if len(parts) == 0 {
			return base
		}
		return base + "?" + strings.Join(parts, "&")
	}
	return []string{link, with(addr, name), with(addr), with(name), base}
}

func slicesWithout(list []string, what string) (out []string) {
	for _, s := range list {
		if s != what {
			out = append(out, s)
		}
	}
	return out
}
