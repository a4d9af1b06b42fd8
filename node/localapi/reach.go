package localapi

// Found is what one source of discovery answered when it was asked for a peer.
type Found struct {
	Source string       `json:"source"` // cache, contact, mdns, dht, presence, …
	Addrs  List[string] `json:"addrs"`  // multiaddrs; none: it does not know the peer
	TookMS float64      `json:"took_ms"`
	Error  string       `json:"error,omitempty"` // why it could not be asked
}

// Relay is a node that carries for others, as this node has come to know it.
type Relay struct {
	ID        string  `json:"id"`
	Name      string  `json:"name"` // as in Peer
	Rank      int     `json:"rank"` // 1 would be asked first
	Connected bool    `json:"connected"`
	Reserved  bool    `json:"reserved"` // this node can be reached through it
	Dropped   bool    `json:"dropped"`  // it failed just now
	Success   float64 `json:"success"`  // share of envelopes it brought on, 0 to 1, the older the less; 0.5 if never tried
	LatencyMS float64 `json:"latency_ms"`
	Load      float64 `json:"load"` // as it says itself, 0 to 1
	Why       string  `json:"why"`  // what its rank comes from
}

// Measured is what this node knows of a peer from its own experience. None of
// it is ever told to anybody else.
type Measured struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Connected bool       `json:"connected"`
	Known     bool       `json:"known"`      // something was measured; else all is neutral
	Success   float64    `json:"success"`    // as in Relay
	LatencyMS float64    `json:"latency_ms"` // of its hop answers; 0 while not measured
	Used      Time       `json:"used"`       // when it last carried for this node, or failed to; null: never
	Weight    float64    `json:"weight"`     // its share when this node relays under load; 1 is neutral
	Terms     List[Term] `json:"terms"`      // their product is the weight, within bounds
}

// Term is one factor of a weight. Its count halves every day.
type Term struct {
	What   string  `json:"what"`
	Count  float64 `json:"count"`
	Factor float64 `json:"factor"`
}

// Doctor is what a node found out about how it can be reached.
type Doctor struct {
	Reachability  string        `json:"reachability"` // as in Status
	UDP           NAT           `json:"udp"`
	TCP           NAT           `json:"tcp"`
	Ways          List[Way]     `json:"ways"`
	Outside       List[string]  `json:"outside"`       // IP addresses that others see this node come from
	PortMappings  List[string]  `json:"port_mappings"` // multiaddrs that the router has granted
	Relays        List[string]  `json:"relays"`        // peer ids of those this node can be reached through
	Serving       bool          `json:"serving"`       // this node relays for others
	ClockOffsetMS int64         `json:"clock_offset_ms"`
	Findings      List[Finding] `json:"findings"` // what limits this node, the gravest first
}

// NAT is what stands between a node and the internet, for one transport.
type NAT struct {
	Mapping   string `json:"mapping"`   // none, endpoint-independent, endpoint-dependent, unknown: RFC 4787
	Filtering string `json:"filtering"` // same
}

// Way is one transport over one version of IP.
type Way struct {
	Transport string `json:"transport"` // udp or tcp
	IP        int    `json:"ip"`        // 4 or 6
	State     string `json:"state"`     // whether strangers can dial it: reachable, unreachable, unknown, none
}

// Finding is something that limits a node, and what to do about it.
type Finding struct {
	Problem string `json:"problem"`
	Advice  string `json:"advice"` // empty: nothing needs doing
}
