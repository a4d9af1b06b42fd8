// Package natlab lets real daemons meet as homes on the internet do: behind
// routers that translate addresses, each in its own way. It needs root.
//
// Every host and every router is a network namespace. Those on the internet
// hang on one switch, a goroutine of the test, that holds every frame back for
// 10 ms on the way in and 10 ms on the way out; inside a home there is a bridge.
//
//	 p1        p2        p3       alice           bob
//	 |         |         |          | 192.168.1.10  | 192.168.1.10
//	 |         |         |        router          router
//	 | 11.1... | 11.2... | 11.3...  | 11.4.0.1      | 11.5.0.1
//	=+=========+=========+==========+===============+=== 11.0.0.0/8, 3fff::/20
//
// The homes do what homes do: they all use the same private addresses. What is
// public is taken for public by those who look, and yet met nowhere: 11.0.0.0/8
// is not announced, 3fff::/20 is for documentation. No namespace has a way out.
package natlab
