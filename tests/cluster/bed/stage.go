package bed

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"syscall"
)

// A bed's program runs itself again for each stage, with the same arguments; these say which stage it is in.
const (
	stageVariable  = "FOREWARM_BED_STAGE"
	dirVariable    = "FOREWARM_BED_DIR"
	hostIPVariable = "FOREWARM_BED_HOST_IP"
	cwdVariable    = "FOREWARM_BED_CWD"

	stageInit   = "init"
	stageMain   = "main"
	stageAttach = "attach"
)

// Descriptors that init inherits.
const (
	lockFD = 3 // held until init ends
	goFD   = 4 // reads the host's address once outer has made the link
)

// startInit starts this program as process 1 of new namespaces. The caller must stay on its thread until the
// process has ended when tied is set: the kernel then kills init with that thread.
func startInit(dir string, locked *os.File, link *os.File, tied bool, output *os.File) (*exec.Cmd, error) {
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Env = append(os.Environ(), stageVariable+"="+stageInit, dirVariable+"="+dir, cwdVariable+"="+cwd)
	cmd.ExtraFiles = []*os.File{locked, link}
	cmd.Stdout, cmd.Stderr = output, output
	if tied {
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
		Setsid:     !tied,
	}
	if tied {
		cmd.SysProcAttr.Pdeathsig = syscall.SIGKILL
	}
	return cmd, cmd.Start()
}

// runInit is process 1: it prepares the namespaces, starts main, reaps whatever is left without a parent, and
// ends, with everything else in the namespaces, when main does.
func runInit() int {
	dir := os.Getenv(dirVariable)
	hostIP, err := readLine(goFD)
	if err == nil {
		err = prepareMounts(dir)
	}
	if err == nil {
		err = prepareNetwork(hostIP)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		return 1
	}
	syscall.CloseOnExec(lockFD)
	os.Setenv(stageVariable, stageMain)
	os.Setenv(hostIPVariable, hostIP)
	main, err := os.StartProcess("/proc/self/exe", os.Args, &os.ProcAttr{
		Files: []*os.File{os.Stdin, os.Stdout, os.Stderr},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		return 1
	}
	return reap(main.Pid)
}

func reap(main int) int {
	// Whoever wants the bed to end asks main, or kills init.
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGHUP)
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		switch {
		case err == syscall.EINTR || (err == nil && pid != main):
			continue
		case err != nil:
			return 1
		case status.Signaled():
			return 128 + int(status.Signal())
		}
		return status.ExitStatus()
	}
}

// attach runs this program as main of a bed that is running already.
func attach(id string) int {
	state, err := ReadState(id)
	if err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		return 1
	}
	cmd, err := Inside(id, append([]string{"/proc/self/exe"}, os.Args[1:]...))
	if err != nil {
		fmt.Fprintln(os.Stderr, "bed:", err)
		return 1
	}
	dir, _ := bedDir(id)
	cmd.Env = append(cmd.Env, stageVariable+"="+stageAttach, dirVariable+"="+dir, hostIPVariable+"="+state.HostIP)
	runtime.LockOSThread()
	return exitCode(cmd.Run())
}

// Inside is a command that will run in the namespaces of a running bed, with this process's streams.
func Inside(id string, args []string) (*exec.Cmd, error) {
	state, err := ReadState(id)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	if args[0] == "/proc/self/exe" {
		args[0] = self
	}
	cwd, err := os.Getwd()
	if err != nil {
		return nil, err
	}
	pid := strconv.Itoa(state.InitPID)
	// nsenter would leave us in the root folder of the mount namespace.
	cmd := exec.Command("nsenter", append([]string{"--target", pid, "--mount", "--net", "--pid", "--ipc",
		"/bin/sh", "-c", `cd "$0" && exec "$@"`, cwd}, args...)...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), cwdVariable+"="+cwd)
	dir, err := state.Dir()
	if err != nil {
		return nil, err
	}
	for name, value := range (&Bed{Dir: dir}).environment() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd, nil
}

func exitCode(err error) int {
	if err == nil {
		return 0
	}
	if exit, ok := err.(*exec.ExitError); ok && exit.ExitCode() >= 0 {
		return exit.ExitCode()
	}
	fmt.Fprintln(os.Stderr, "bed:", err)
	return 1
}

func readLine(fd uintptr) (string, error) {
	file := os.NewFile(fd, "link")
	defer file.Close()
	var line string
	_, err := fmt.Fscanln(file, &line)
	return line, err
}
