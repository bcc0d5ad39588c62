package forewarm

// Service is a Service in front of a function, on port 80.
func Service(namespace, name string) Object {
	return Object{Map{
		"apiVersion": "v1", "kind": "Service",
		"metadata": Map{"namespace": namespace, "name": name},
		"spec":     Map{"selector": Map{"app": name}, "ports": []Map{{"port": 80, "targetPort": 8080}}},
	}}
}

// URL is where a function's Service answers inside the bed.
func URL(namespace, name string) string {
	return "http://" + name + "." + namespace + ".svc.cluster.local/"
}
