package rails

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	rbac "k8s.io/api/rbac/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"

	"forewarm.dev/tests/cluster/forewarm"
	"forewarm.dev/tests/cluster/kit"
)

// right is one verb on one resource, as granted to the operator's ServiceAccount.
type right struct {
	namespace             string // empty: everywhere
	verb, group, resource string
	name                  string // empty: every object
}

func (r right) String() string {
	return fmt.Sprintf("%s %s.%s %s in %q", r.verb, r.resource, r.group, r.name, r.namespace)
}

// covers tells whether a request needed this right.
func (r right) covers(event kit.Event) bool {
	object := event.ObjectRef
	resource := object.Resource
	if object.Subresource != "" {
		resource += "/" + object.Subresource
	}
	return r.verb == event.Verb && r.group == object.APIGroup && r.resource == resource &&
		(r.namespace == "" || r.namespace == object.Namespace) && (r.name == "" || r.name == object.Name)
}

// enrolledByTest tells whether a write went to a namespace that a test has enrolled by hand: its binding is gone with
// it. A write elsewhere needs a binding of the chart.
func enrolledByTest(event kit.Event) bool {
	return event.ObjectRef.Subresource == "scale" && strings.HasPrefix(event.ObjectRef.Namespace, "test-")
}

// rightsOf reads what the bindings there are now grant to the operator.
func rightsOf(k *kit.Kit) ([]right, error) {
	ctx, all := context.Background(), meta.ListOptions{}
	clusterBindings, err := k.Typed.RbacV1().ClusterRoleBindings().List(ctx, all)
	if err != nil {
		return nil, err
	}
	bindings, err := k.Typed.RbacV1().RoleBindings("").List(ctx, all)
	if err != nil {
		return nil, err
	}
	var rights []right
	for _, binding := range clusterBindings.Items {
		if !ours(binding.Subjects) {
			continue
		}
		role, err := k.Typed.RbacV1().ClusterRoles().Get(ctx, binding.RoleRef.Name, meta.GetOptions{})
		if err != nil {
			return nil, err
		}
		rights = append(rights, expand("", role.Rules)...)
	}
	for _, binding := range bindings.Items {
		if !ours(binding.Subjects) {
			continue
		}
		rules, err := rulesOf(ctx, k, binding)
		if err != nil {
			return nil, err
		}
		rights = append(rights, expand(binding.Namespace, rules)...)
	}
	return rights, nil
}

func rulesOf(ctx context.Context, k *kit.Kit, binding rbac.RoleBinding) ([]rbac.PolicyRule, error) {
	if binding.RoleRef.Kind == "ClusterRole" {
		role, err := k.Typed.RbacV1().ClusterRoles().Get(ctx, binding.RoleRef.Name, meta.GetOptions{})
		if err != nil {
			return nil, err
		}
		return role.Rules, nil
	}
	role, err := k.Typed.RbacV1().Roles(binding.Namespace).Get(ctx, binding.RoleRef.Name, meta.GetOptions{})
	if err != nil {
		return nil, err
	}
	return role.Rules, nil
}

func ours(subjects []rbac.Subject) bool {
	return slices.ContainsFunc(subjects, func(s rbac.Subject) bool {
		return s.Kind == "ServiceAccount" && s.Namespace == forewarm.Namespace && s.Name == forewarm.Release
	})
}

func expand(namespace string, rules []rbac.PolicyRule) []right {
	var rights []right
	for _, rule := range rules {
		names := rule.ResourceNames
		if len(names) == 0 {
			names = []string{""}
		}
		for _, verb := range rule.Verbs {
			for _, group := range rule.APIGroups {
				for _, resource := range rule.Resources {
					for _, name := range names {
						rights = append(rights, right{namespace, verb, group, resource, name})
					}
				}
			}
		}
	}
	return rights
}

// asTenant is a client for somebody who may edit everything in a namespace.
func asTenant(t *testing.T, k *kit.Kit, namespace string) (dynamic.Interface, error) {
	k.Kubectl(t, "--namespace", namespace, "create", "rolebinding", "tenant", "--clusterrole=admin", "--user=tenant")
	path, err := k.User("tenant")
	if err != nil {
		return nil, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		return nil, err
	}
	return dynamic.NewForConfig(config)
}
