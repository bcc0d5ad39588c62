{{/* Release name, unless it says forewarm already; at most 45 characters, so that suffixes fit into 63. */}}
{{- define "forewarm.fullname" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 45 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 45 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Name of cluster-wide objects: the release's namespace as well, since releases of one name may live in several. */}}
{{- define "forewarm.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "forewarm.fullname" .) -}}
{{- end -}}

{{- define "forewarm.serviceAccountName" -}}
{{- default (include "forewarm.fullname" .) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "forewarm.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "forewarm.labels" -}}
{{ include "forewarm.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: forewarm
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "forewarm.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Group of an apiVersion: argoproj.io of argoproj.io/v1alpha1. */}}
{{- define "forewarm.groupOf" -}}
{{- first (splitList "/" .) -}}
{{- end -}}

{{/* Flag of the listed kinds: group/version/Kind/plural, separated by commas. */}}
{{- define "forewarm.scaleKinds" -}}
{{- $kinds := list -}}
{{- range .Values.scaleKinds -}}
{{- $kinds = append $kinds (printf "%s/%s/%s" .apiVersion .kind .resource) -}}
{{- end -}}
{{- join "," $kinds -}}
{{- end -}}

{{/* sources.yaml as the operator reads it: references to ConfigMaps and Secrets become paths of mounted files. */}}
{{- define "forewarm.sources" -}}
sources:
{{- range .Values.sources }}
- name: {{ .name | quote }}
  url: {{ .url | quote }}
  {{- if .ca }}
  caFile: /etc/forewarm/sources/{{ .name }}/ca.crt
  {{- end }}
  {{- if .token }}
  tokenFile: /etc/forewarm/sources/{{ .name }}/token
  {{- end }}
  {{- with .tenant }}
  tenant: {header: {{ .header | quote }}, value: {{ .value | quote }}}
  {{- end }}
  {{- with .maxSeries }}
  maxSeries: {{ int . }}
  {{- end }}
  {{- with .maxMebibytes }}
  maxMebibytes: {{ int . }}
  {{- end }}
{{- else }} []
{{- end }}
{{- end -}}

{{/* Port of a source's URL: the one it names, else that of its scheme. */}}
{{- define "forewarm.port" -}}
{{- $host := (urlParse .).host -}}
{{- if regexMatch ":[0-9]+$" $host -}}
{{- regexFind "[0-9]+$" $host -}}
{{- else if hasPrefix "https:" . -}}
443
{{- else -}}
80
{{- end -}}
{{- end -}}

{{/* What the operator and the release hook share. */}}
{{- define "forewarm.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "forewarm.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- define "forewarm.env" -}}
- name: POD_NAMESPACE
  valueFrom: {fieldRef: {fieldPath: metadata.namespace}}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
{{- end -}}
