package bed

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// PKI is the bed's certificate authority; its files are in one folder, NAME.crt and NAME.key.
type PKI struct {
	dir  string
	ca   *x509.Certificate
	key  *ecdsa.PrivateKey
	from time.Time
}

// subject says who a certificate is for. Hosts make it a server's.
type subject struct {
	name   string
	groups []string
	hosts  []string
}

const admins = "system:masters"

func (b *Bed) certificates() map[string]subject {
	return map[string]subject{
		"apiserver": {name: "kube-apiserver", hosts: []string{
			"localhost", "127.0.0.1", NodeIP, b.HostIP, firstService,
			"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}},
		"apiserver-kubelet":  {name: "kube-apiserver-kubelet-client", groups: []string{admins}},
		"front-proxy":        {name: "front-proxy-client"},
		"admin":              {name: "admin", groups: []string{admins}},
		"controller-manager": {name: "system:kube-controller-manager"},
		"scheduler":          {name: "system:kube-scheduler"},
		"proxy":              {name: "system:kube-proxy"},
		"dns":                {name: "coredns", groups: []string{admins}},
		"prometheus":         {name: "prometheus", groups: []string{admins}},
		"node":               {name: "system:node:" + NodeName, groups: []string{"system:nodes"}},
		"kubelet":            {name: NodeName, hosts: []string{NodeName, NodeIP}},
	}
}

func newPKI(dir string) (*PKI, error) {
	p := &PKI{dir: dir, from: time.Now().Add(-time.Hour)}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template := p.template(subject{name: "forewarm-bed"})
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if p.ca, err = x509.ParseCertificate(der); err != nil {
		return nil, err
	}
	p.key = key
	if err := p.save("ca", der, key); err != nil {
		return nil, err
	}
	return p, p.serviceAccountKey()
}

// loadPKI reads back what newPKI wrote.
func loadPKI(dir string) (*PKI, error) {
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, "ca.crt"), filepath.Join(dir, "ca.key"))
	if err != nil {
		return nil, err
	}
	ca, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		return nil, err
	}
	return &PKI{dir: dir, ca: ca, key: pair.PrivateKey.(*ecdsa.PrivateKey), from: ca.NotBefore}, nil
}

func (p *PKI) crt(name string) string     { return filepath.Join(p.dir, name+".crt") }
func (p *PKI) keyFile(name string) string { return filepath.Join(p.dir, name+".key") }

// issue writes a certificate for somebody.
func (p *PKI) issue(name string, who subject) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	der, err := x509.CreateCertificate(rand.Reader, p.template(who), p.ca, key.Public(), p.key)
	if err != nil {
		return fmt.Errorf("certificate for %s: %w", name, err)
	}
	return p.save(name, der, key)
}

func (p *PKI) template(who subject) *x509.Certificate {
	serial, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	template := &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: who.name, Organization: who.groups},
		NotBefore:    p.from,
		NotAfter:     p.from.Add(30 * 24 * time.Hour),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	for _, host := range who.hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return template
}

// serviceAccountKey is the pair that signs and checks ServiceAccount tokens.
func (p *PKI) serviceAccountKey() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	public, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return err
	}
	if err := writePEM(filepath.Join(p.dir, "sa.pub"), "PUBLIC KEY", public); err != nil {
		return err
	}
	return saveKey(p.keyFile("sa"), key)
}

func (p *PKI) save(name string, der []byte, key *ecdsa.PrivateKey) error {
	if err := writePEM(p.crt(name), "CERTIFICATE", der); err != nil {
		return err
	}
	return saveKey(p.keyFile(name), key)
}

func saveKey(path string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return err
	}
	return writePEM(path, "EC PRIVATE KEY", der)
}

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}
