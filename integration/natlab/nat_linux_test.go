package natlab

// nat is a kind of router: rules for nft, in which up0 leads towards the
// internet, lan0 into the home, and $up is the router's address on up0.
//
// The words are those of RFC 4787. Mapping says which address others see: one
// for all of them, or another for each. Filtering says who may send to it:
// anybody, or only the addresses, or the addresses and ports, sent to before.
type nat struct {
	name  string
	lan   string // the addresses of its network inside; as in any home if empty
	v6    bool   // IPv6, and no IPv4
	rules string
}

// Linux keeps a host's source port as long as nobody else uses it: mapping is
// endpoint-independent. Filtering is address and port-dependent, for only
// packets of known connections come back.
var cone = nat{name: "port-restricted cone", rules: masquerade + drop + forward}

// symmetric maps every connection to another port, which nobody can guess.
var symmetric = nat{name: "symmetric", rules: `
table ip nat {
	chain post { type nat hook postrouting priority srcnat; oifname "up0" masquerade fully-random; }
}` + drop + forward}

// addressRestricted lets in whatever comes from an address that was sent to,
// from any port.
var addressRestricted = nat{name: "address-restricted cone", rules: `
table ip nat {
	map owner { type inet_proto . inet_service : ipv4_addr; flags dynamic,timeout; timeout 5m; }
	set spoken { type inet_proto . inet_service . ipv4_addr; flags dynamic,timeout; timeout 5m; }
	chain learn {
		type filter hook forward priority -10;
		iifname "lan0" oifname "up0" meta l4proto { tcp, udp } update @owner { meta l4proto . th sport : ip saddr }
		iifname "lan0" oifname "up0" meta l4proto { tcp, udp } update @spoken { meta l4proto . th sport . ip daddr }
	}
	chain pre {
		type nat hook prerouting priority dstnat;
		iifname "up0" ip daddr $up meta l4proto { tcp, udp } meta l4proto . th dport . ip saddr @spoken dnat to meta l4proto . th dport map @owner
	}
	chain post { type nat hook postrouting priority srcnat; oifname "up0" masquerade; }
}` + drop + forward}

// fullCone lets everybody in, its own home too: whoever is inside reaches
// another inside by the address that those outside see (hairpin).
var fullCone = nat{name: "full cone", rules: `
table ip nat {
	map owner { type inet_proto . inet_service : ipv4_addr; flags dynamic,timeout; timeout 5m; }
	chain learn {
		type filter hook forward priority -10;
		iifname "lan0" oifname "up0" meta l4proto { tcp, udp } update @owner { meta l4proto . th sport : ip saddr }
	}
	chain pre {
		type nat hook prerouting priority dstnat;
		ip daddr $up meta l4proto { tcp, udp } dnat to meta l4proto . th dport map @owner
	}
	chain post {
		type nat hook postrouting priority srcnat
		oifname "up0" masquerade
		iifname "lan0" oifname "lan0" snat to $up
	}
}` + drop + forward}

// carrier is a cone that a provider runs: its home is a town.
var carrier = nat{name: "carrier-grade NAT", lan: "100.64.0.%d/24", rules: cone.rules}

// answering is a cone that says "closed" to those nobody asked for, where
// others are silent.
var answering = nat{name: "answering cone", rules: masquerade + forward}

// udpBlocked is a firewall of an office.
var udpBlocked = nat{name: "UDP blocked", rules: masquerade + drop + `
table ip office {
	chain forward { type filter hook forward priority -5; meta l4proto udp drop; }
}` + forward}

// firewall6 gives its home real IPv6 addresses and lets nobody in.
var firewall6 = nat{name: "IPv6 firewall", v6: true, rules: drop + `
table ip6 filter {
	chain forward {
		type filter hook forward priority 0; policy drop
		ct state established,related accept
		iifname "lan0" accept
	}
}`}

// hostFirewall is for a host with a public address of its own.
const hostFirewall = drop

const masquerade = `
table ip nat {
	chain post { type nat hook postrouting priority srcnat; oifname "up0" masquerade; }
}`

// drop keeps silent towards those nobody asked for. Without it such a packet
// becomes a connection of the router's, which holds the port: the home's own
// connection then gets another, and a hole cannot be punched.
const drop = `
table inet input {
	chain input { type filter hook input priority 0; iifname "up0" meta l4proto { tcp, udp } ct state new drop; }
}`

const forward = `
table ip forward {
	chain forward {
		type filter hook forward priority 0; policy drop
		ct state established,related accept
		ct status dnat accept
		iifname "lan0" oifname "up0" accept
	}
}`
