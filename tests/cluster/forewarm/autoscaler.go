package forewarm

// Autoscaler is a HorizontalPodAutoscaler of a Deployment, by processor time, with these bounds.
func Autoscaler(namespace, name, deployment string, least, most int) Object {
	return Object{Map{
		"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
		"metadata": Map{"namespace": namespace, "name": name},
		"spec": Map{
			"minReplicas": least, "maxReplicas": most,
			"scaleTargetRef": Map{"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment},
			"metrics": []Map{{"type": "Resource", "resource": Map{"name": "cpu",
				"target": Map{"type": "Utilization", "averageUtilization": 80}}}},
		},
	}}
}
