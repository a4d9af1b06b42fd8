// Package backup is the place of the protocol by which nodes hold sealed
// envelopes for a recipient that is away: store, fetch, audit, drop and hand
// over, with the storage receipts a holder signs. A holder learns sender,
// recipient, size class and time, and nothing of the content; it lets go at the
// recipient's signed receipt, and in any case at the end of the lifetime.
package backup
