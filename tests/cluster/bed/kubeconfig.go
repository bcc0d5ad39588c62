package bed

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
)

// kubeconfig writes a kubeconfig for the holder of a certificate, with everything inside the file, so that it
// can be copied.
func (b *Bed) kubeconfig(path, certificate, server string) error {
	data := map[string]string{}
	for key, file := range map[string]string{
		"ca": b.pki.crt("ca"), "crt": b.pki.crt(certificate), "key": b.pki.keyFile(certificate),
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		data[key] = base64.StdEncoding.EncodeToString(text)
	}
	config := object{
		"apiVersion": "v1", "kind": "Config", "current-context": "bed",
		"clusters": list{object{"name": "bed", "cluster": object{
			"server": fmt.Sprintf("https://%s:6443", server), "certificate-authority-data": data["ca"]}}},
		"users": list{object{"name": certificate, "user": object{
			"client-certificate-data": data["crt"], "client-key-data": data["key"]}}},
		"contexts": list{object{"name": "bed", "context": object{"cluster": "bed", "user": certificate}}},
	}
	return writeJSON(path, config)
}

// User writes a kubeconfig for a user the tests make up and returns its path. RBAC decides what he may do.
func (b *Bed) User(name string, groups ...string) (string, error) {
	if err := b.pki.issue("user-"+name, subject{name: name, groups: groups}); err != nil {
		return "", err
	}
	path := b.path("config", "user-"+name+".kubeconfig")
	return path, b.kubeconfig(path, "user-"+name, b.HostIP)
}

// JSON is YAML too: configuration files are made of these, so nothing needs quoting by hand.
type (
	object = map[string]any
	list   = []any
)

func writeJSON(path string, value any) error {
	text, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}
