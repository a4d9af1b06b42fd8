package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// JetStream is what many would take instead: a server embedded in the
// receiver's process that stores each message in a file before it tells the
// producer, a consumer beside it that acknowledges each to the server and to
// the producer. Everything is in clear.
const (
	natsStream   = "bench"
	natsMessages = "bench.messages"
	natsReceipts = "receipts" // not kept: consumer to producer
)

type natsReceiver struct {
	server   *server.Server
	conn     *nats.Conn
	consumer jetstream.ConsumeContext
}

func natsReceive(dir string, syncAlways bool) (receiver, error) {
	srv, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true,
		JetStream: true, StoreDir: dir, SyncAlways: syncAlways,
	})
	if err != nil {
		return nil, err
	}
	srv.Start()
	r := &natsReceiver{server: srv}
	if !srv.ReadyForConnections(20 * time.Second) {
		return nil, errors.Join(errors.New("the server does not start"), r.close())
	}
	if err := r.consume(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

func (r *natsReceiver) consume() (err error) {
	if r.conn, err = nats.Connect(r.server.ClientURL()); err != nil {
		return err
	}
	js, err := jetstream.New(r.conn)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	stream, err := js.CreateStream(ctx, jetstream.StreamConfig{
		Name: natsStream, Subjects: []string{natsMessages}, Storage: jetstream.FileStorage, MaxAge: 24 * time.Hour,
	})
	if err != nil {
		return err
	}
	consumer, err := stream.CreateConsumer(ctx, jetstream.ConsumerConfig{
		Durable: "bob", AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: 4 * window,
	})
	if err != nil {
		return err
	}
	r.consumer, err = consumer.Consume(func(m jetstream.Msg) {
		// A connection that is lost shows as messages that are not acknowledged.
		_ = m.Ack()
		_ = r.conn.Publish(natsReceipts, nil)
	})
	return err
}

func (r *natsReceiver) address() string { return r.server.ClientURL() }

func (r *natsReceiver) close() error {
	if r.consumer != nil {
		r.consumer.Stop()
	}
	if r.conn != nil {
		r.conn.Close()
	}
	r.server.Shutdown()
	r.server.WaitForShutdown()
	return nil
}

type natsSender struct {
	conn  *nats.Conn
	js    jetstream.JetStream
	acked chan struct{}
}

func natsSend(_, address string) (sender, error) {
	conn, err := nats.Connect(address)
	if err != nil {
		return nil, err
	}
	s := &natsSender{conn: conn, acked: make(chan struct{}, window)}
	if s.js, err = jetstream.New(conn, jetstream.WithPublishAsyncMaxPending(2*window)); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if _, err = conn.Subscribe(natsReceipts, func(*nats.Msg) { s.acked <- struct{}{} }); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, conn.Flush()
}

func (s *natsSender) close() error {
	s.conn.Close()
	return nil
}

func (s *natsSender) singles(n int) ([]time.Duration, error) { return oneByOne(s, n) }

func (s *natsSender) burst(n, window int) (time.Duration, error) {
	bodies := makeBodies(n)
	begin := time.Now()
	for sent, acked := 0, 0; acked < n; {
		for ; sent < n && sent-acked < window; sent++ {
			if _, err := s.js.PublishAsync(natsMessages, bodies[sent]); err != nil {
				return 0, err
			}
		}
		m, err := s.await()
		if err != nil {
			return 0, fmt.Errorf("after %d of %d: %w", acked, n, err)
		}
		acked += m
	}
	return time.Since(begin), nil
}

// await waits for acknowledgements and takes all that have come.
func (s *natsSender) await() (n int, err error) {
	select {
	case <-s.acked:
		n++
	case <-time.After(patience):
		return 0, errors.New("no acknowledgement")
	}
	for {
		select {
		case <-s.acked:
			n++
		default:
			return n, nil
		}
	}
}
