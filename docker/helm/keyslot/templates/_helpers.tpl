{{- define "keyslot.name" -}}
{{- if contains "keyslot" .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-keyslot" (.Release.Name | trunc 44 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{- define "keyslot.selector" -}}
app.kubernetes.io/name: keyslot
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "keyslot.labels" -}}
{{ include "keyslot.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}
