package kit

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"testing"
	"time"
)

// Event is one request in the API server's audit log. Writes carry both bodies, reads none.
type Event struct {
	AuditID    string
	Level      string
	Stage      string
	Verb       string
	RequestURI string
	UserAgent  string
	User       struct {
		Username string
		Groups   []string
	}
	ObjectRef struct {
		Resource, Subresource string
		APIGroup, APIVersion  string
		Namespace, Name, UID  string
	}
	ResponseStatus struct {
		Code            int
		Reason, Message string
	}
	RequestObject, ResponseObject            json.RawMessage
	RequestReceivedTimestamp, StageTimestamp time.Time
	Annotations                              map[string]string
}

// Audit is the audit log from one moment on.
type Audit struct {
	path string
	from int64
}

// AuditFromNow is the audit log of what comes from now on; AuditFromStart has everything since the bed started.
func (k *Kit) AuditFromNow(t testing.TB) *Audit {
	t.Helper()
	info, err := os.Stat(k.AuditLog())
	if err != nil {
		t.Fatal(err)
	}
	return &Audit{path: k.AuditLog(), from: info.Size()}
}

// AuditFromStart is the whole audit log.
func (k *Kit) AuditFromStart() *Audit { return &Audit{path: k.AuditLog()} }

// Events returns the finished requests that pass all filters, in the order of the log.
func (a *Audit) Events(filters ...func(Event) bool) ([]Event, error) {
	file, err := os.Open(a.path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	lines, err := linesFrom(file, a.from)
	if err != nil {
		return nil, err
	}
	var found []Event
	for {
		line, err := lines.ReadBytes('\n')
		if err == io.EOF {
			return found, nil // a line without its end is still being written
		}
		if err != nil {
			return nil, err
		}
		var event Event
		if err := json.Unmarshal(line, &event); err != nil {
			return nil, err
		}
		if event.Stage == "ResponseComplete" && all(filters, event) {
			found = append(found, event)
		}
	}
}

// linesFrom reads the lines that begin at or behind an offset. One that was being written there began before.
func linesFrom(file io.ReadSeeker, from int64) (*bufio.Reader, error) {
	_, err := file.Seek(max(0, from-1), io.SeekStart)
	lines := bufio.NewReaderSize(file, 1<<20)
	if err == nil && from > 0 {
		_, err = lines.ReadBytes('\n')
	}
	if err == io.EOF {
		err = nil
	}
	return lines, err
}

func all(filters []func(Event) bool, event Event) bool {
	for _, passes := range filters {
		if !passes(event) {
			return false
		}
	}
	return true
}

// ByUser keeps one user's requests.
func ByUser(name string) func(Event) bool {
	return func(e Event) bool { return e.User.Username == name }
}

// ByServiceAccount keeps the requests of a ServiceAccount.
func ByServiceAccount(namespace, name string) func(Event) bool {
	return ByUser("system:serviceaccount:" + namespace + ":" + name)
}

// ByID keeps the request with an audit ID.
func ByID(id string) func(Event) bool { return func(e Event) bool { return e.AuditID == id } }

// In keeps the requests for one namespace.
func In(namespace string) func(Event) bool {
	return func(e Event) bool { return e.ObjectRef.Namespace == namespace }
}

// Writes keeps the requests that change something.
func Writes(e Event) bool {
	switch e.Verb {
	case "create", "update", "patch", "delete", "deletecollection":
		return true
	}
	return false
}

// Allowed keeps the requests that were not refused for lack of permission.
func Allowed(e Event) bool { return e.Annotations["authorization.k8s.io/decision"] == "allow" }
