package bed

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Process is a component that can be stopped, frozen and started again, by any process inside the bed: what was
// started, and as which pid, is in a file.
type Process struct {
	Name        string
	log, record string
}

type processRecord struct {
	PID  int
	GID  int // the group it runs as: a mark by which its packets can be told from others'
	Argv []string
	Env  []string
}

// Run starts the process with a command line, which Start will use again.
func (p *Process) Run(env []string, argv ...string) error {
	return p.start(processRecord{Argv: argv, Env: env})
}

// Start starts the process again with the command line it had.
func (p *Process) Start() error {
	record, err := p.read()
	if err != nil {
		return err
	}
	if p.Running() {
		return fmt.Errorf("%s is running already", p.Name)
	}
	return p.start(record)
}

func (p *Process) start(record processRecord) error {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(record.Argv[0], record.Argv[1:]...)
	cmd.Env = append(os.Environ(), record.Env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	// Its own session: a Ctrl-C for the tests is none for the cluster.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: &syscall.Credential{Gid: uint32(record.GID)}}
	if err := cmd.Start(); err != nil {
		return err
	}
	go func() { _ = cmd.Wait() }() // reaps it; a process whose starter is gone is reaped by init
	record.PID = cmd.Process.Pid
	text, err := json.Marshal(record)
	if err != nil {
		return err
	}
	return os.WriteFile(p.record, text, 0o600)
}

// Stop asks the process to end, and kills it when it has not after a while.
func (p *Process) Stop() error { return p.end(syscall.SIGTERM, 20*time.Second) }

// Kill ends the process at once (SIGKILL) and returns when it is gone.
func (p *Process) Kill() error { return p.end(syscall.SIGKILL, 20*time.Second) }

// Pause freezes the process (SIGSTOP): its sockets stay open and nothing answers.
func (p *Process) Pause() error { return p.Signal(syscall.SIGSTOP) }

// Resume ends a Pause.
func (p *Process) Resume() error { return p.Signal(syscall.SIGCONT) }

// Restart ends the process gently and starts it again.
func (p *Process) Restart() error {
	if err := p.Stop(); err != nil {
		return err
	}
	return p.Start()
}

// Signal sends a signal.
func (p *Process) Signal(signal syscall.Signal) error {
	record, err := p.read()
	if err != nil {
		return err
	}
	return syscall.Kill(record.PID, signal)
}

// Running tells whether the process lives; a frozen one does.
func (p *Process) Running() bool {
	record, err := p.read()
	return err == nil && alive(record.PID)
}

// PID of the process inside the bed, 0 where it never ran.
func (p *Process) PID() int {
	record, _ := p.read()
	return record.PID
}

func (p *Process) end(signal syscall.Signal, patience time.Duration) error {
	record, err := p.read()
	if err != nil {
		return err
	}
	if !alive(record.PID) {
		return nil
	}
	_ = syscall.Kill(record.PID, syscall.SIGCONT) // a frozen process hears nothing but SIGKILL
	_ = syscall.Kill(record.PID, signal)
	for deadline := time.Now().Add(patience); alive(record.PID); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			_ = syscall.Kill(record.PID, syscall.SIGKILL)
		}
		if time.Now().After(deadline.Add(patience)) {
			return fmt.Errorf("%s does not end", p.Name)
		}
	}
	return nil
}

func (p *Process) read() (record processRecord, err error) {
	text, err := os.ReadFile(p.record)
	if err != nil {
		return record, fmt.Errorf("%s was never started: %w", p.Name, err)
	}
	return record, json.Unmarshal(text, &record)
}

// alive is true until a process has been reaped: before that, threads of it may still hold its sockets and locks.
func alive(pid int) bool { return syscall.Kill(pid, 0) == nil }

// tail is the end of the process's log, for errors.
func (p *Process) tail() string {
	text, _ := os.ReadFile(p.log)
	const most = 3000
	if len(text) > most {
		text = text[len(text)-most:]
	}
	return string(text)
}
