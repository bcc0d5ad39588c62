package bed

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"

	"forewarm.dev/tests/cluster/build"
)

// Attached is the variable that names a running bed for Main to use instead of starting one.
const Attached = "FOREWARM_BED"

// Main runs fn inside a bed and returns its exit code. The bed ends with it, however it ends.
//
// It runs the program again, with the same arguments, in the bed's namespaces: call it first thing in main or in
// TestMain, and do the rest in fn. With FOREWARM_BED=ID in the environment, fn runs inside that bed, which is
// left running.
func Main(options Options, fn func(*Bed) int) int {
	switch os.Getenv(stageVariable) {
	case stageInit:
		return runInit()
	case stageMain:
		return inside(options, fn)
	case stageAttach:
		return attached(fn)
	}
	if id := os.Getenv(Attached); id != "" {
		return attach(id)
	}
	return outer(options)
}

// outer prepares a bed, waits for it to end and removes what it leaves.
func outer(options Options) int {
	// Init is killed when the thread that started it ends.
	runtime.LockOSThread()
	if options.ID == "" {
		options.ID = "run-" + strconv.Itoa(os.Getpid())
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT)
	defer stop()
	init, dir, err := launch(ctx, options, true)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		return 1
	}
	go func() {
		<-ctx.Done()
		_ = init.Process.Kill()
	}()
	code := exitCode(init.Wait())
	if code != 0 {
		markFailed(dir)
		fmt.Fprintln(os.Stderr, "bed: logs are kept for an hour in", dir)
		if err := removeCgroups(options.ID); err != nil {
			fmt.Fprintln(os.Stderr, "bed:", err)
		}
		return code
	}
	if err := Down(options.ID); err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		return 1
	}
	return 0
}

// launch builds what is missing, tidies up after runs that were killed, and starts init with its link to the host.
func launch(ctx context.Context, options Options, tied bool) (init *exec.Cmd, dir string, err error) {
	if err := validID(options.ID); err != nil {
		return nil, "", err
	}
	components, err := build.Components()
	if err != nil {
		return nil, "", err
	}
	binaries, err := build.Ensure(ctx, os.Stderr, components)
	if err != nil {
		return nil, "", err
	}
	if err := Sweep(); err != nil {
		return nil, "", err
	}
	dir, locked, err := claim(options.ID)
	if err != nil {
		return nil, "", err
	}
	// Only init's copy of the lock may outlive this function.
	defer locked.Close()
	if err := errorsOf(linkBinaries(dir, binaries), makeCgroups(options.ID)); err != nil {
		return nil, "", err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, "", err
	}
	defer read.Close()
	defer write.Close()
	output, err := os.Create(holdLog(dir))
	if err != nil {
		return nil, "", err
	}
	defer output.Close()
	if init, err = startInit(dir, locked, read, tied, output); err != nil {
		return nil, "", err
	}
	hostIP, link, err := linkToHost(options.ID, init.Process.Pid)
	if err == nil {
		err = writeState(dir, State{ID: options.ID, InitPID: init.Process.Pid, HostIP: hostIP, Link: link, Options: options})
	}
	if err == nil {
		_, err = fmt.Fprintln(write, hostIP)
	}
	if err != nil {
		_ = init.Process.Kill()
		_ = init.Wait()
	}
	return init, dir, err
}

// inside is main's part: the cluster, then fn.
func inside(options Options, fn func(*Bed) int) int {
	b, err := enter(options)
	if err == nil {
		err = b.start()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		return 1
	}
	return fn(b)
}

// attached is main's part in a bed that another program started.
func attached(fn func(*Bed) int) int {
	// nsenter, our parent, is killed with whoever started us.
	_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0)
	state, err := readStateFile(os.Getenv(dirVariable))
	if err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		return 1
	}
	b, err := enter(state.Options)
	if err == nil {
		b.pki, err = loadPKI(b.path("pki"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		return 1
	}
	return fn(b)
}

// enter makes the handle of the bed that this process is in, and a clean environment for what it will start.
func enter(options Options) (*Bed, error) {
	dir := os.Getenv(dirVariable)
	b := &Bed{Dir: dir, HostIP: os.Getenv(hostIPVariable), options: options}
	state, err := readStateFile(dir)
	if err != nil {
		return nil, err
	}
	b.ID = state.ID
	if err := os.Chdir(os.Getenv(cwdVariable)); err != nil {
		return nil, err
	}
	for _, name := range []string{stageVariable, dirVariable, hostIPVariable, cwdVariable, Attached,
		"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"} {
		os.Unsetenv(name)
	}
	for name, value := range b.environment() {
		os.Setenv(name, value)
	}
	if !options.ControlPlaneOnly {
		b.Prometheus = &Prometheus{Process: b.Process("prometheus"), bed: b}
	}
	return b, nil
}

// environment points the usual programs at the bed.
func (b *Bed) environment() map[string]string {
	return map[string]string{
		"KUBECONFIG":           b.Kubeconfig(),
		"PATH":                 b.path("bin") + ":" + os.Getenv("PATH"),
		"CONTAINERD_ADDRESS":   b.ContainerdSocket(),
		"CONTAINERD_NAMESPACE": containerNamespace,
	}
}

// linkBinaries gives the cached binaries their plain names: the shim is found by its own.
func linkBinaries(dir string, binaries build.Binaries) error {
	for name, path := range binaries {
		if err := os.Symlink(path, dir+"/bin/"+name); err != nil {
			return err
		}
	}
	return nil
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
