package bed

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Up starts a bed that keeps running when this process ends, until Down. Like Main it runs the program again, so
// it must be reached with the same arguments each time.
func Up(ctx context.Context, options Options) (State, error) {
	switch os.Getenv(stageVariable) {
	case stageInit:
		os.Exit(runInit())
	case stageMain:
		os.Exit(inside(options, hold))
	}
	init, dir, err := launch(ctx, options, false)
	if err != nil {
		return State{}, err
	}
	ended := make(chan error, 1)
	go func() { ended <- init.Wait() }()
	if err := follow(ctx, dir, ended); err != nil {
		_ = init.Process.Kill()
		markFailed(dir)
		_ = removeCgroups(options.ID)
		return State{}, fmt.Errorf("%w; logs are kept for an hour in %s", err, dir)
	}
	return ReadState(options.ID)
}

// hold says that the cluster is up and stays.
func hold(b *Bed) int {
	if err := os.WriteFile(readyFile(b.Dir), []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		return 1
	}
	select {}
}

func readyFile(dir string) string { return filepath.Join(dir, "ready") }
func holdLog(dir string) string   { return filepath.Join(dir, "logs", "bed.log") }

// follow prints what main says until the cluster is up.
func follow(ctx context.Context, dir string, ended <-chan error) error {
	log, err := os.Open(holdLog(dir))
	if err != nil {
		return err
	}
	defer log.Close()
	for ; ; time.Sleep(20 * time.Millisecond) {
		_, _ = io.Copy(os.Stderr, log)
		if _, err := os.Stat(readyFile(dir)); err == nil {
			return nil
		}
		select {
		case <-ended:
			_, _ = io.Copy(os.Stderr, log)
			return fmt.Errorf("the cluster did not start")
		case <-ctx.Done():
			return ctx.Err()
		default:
		}
	}
}
