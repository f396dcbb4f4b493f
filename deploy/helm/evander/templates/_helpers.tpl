{{- define "evander.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 52 | trimSuffix "-" -}}
{{- end -}}

{{- define "evander.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 52 | trimSuffix "-" -}}
{{- else if contains (include "evander.name" .) .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "evander.name" .) | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "evander.secretName" -}}
{{- default (include "evander.fullname" .) .Values.existingSecret -}}
{{- end -}}

{{/* What a selector may name: never changes during an object's life. Takes (dict "root" $ "part" "gateway"). */}}
{{- define "evander.selector" -}}
app.kubernetes.io/name: {{ include "evander.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end -}}

{{- define "evander.labels" -}}
{{ include "evander.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- with .root.Values.labels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "evander.fromSecret" -}}
valueFrom:
  secretKeyRef: { name: {{ include "evander.secretName" .root | quote }}, key: {{ .key | quote }}{{ if .optional }}, optional: true{{ end }} }
{{- end -}}

{{/* All objects of one part but its Deployment's variables and ports. Takes (dict "root" $ "part" "gateway" "values" .Values.gateway). */}}
{{- define "evander.around" -}}
{{- $name := printf "%s-%s" (include "evander.fullname" .root) .part -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  labels: {{- include "evander.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- if .values.podDisruptionBudget.enabled }}
---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ $name }}
  labels: {{- include "evander.labels" . | nindent 4 }}
spec:
  maxUnavailable: {{ .values.podDisruptionBudget.maxUnavailable }}
  selector:
    matchLabels: {{- include "evander.selector" . | nindent 6 }}
{{- end }}
{{- if .values.autoscaling.enabled }}
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ $name }}
  labels: {{- include "evander.labels" . | nindent 4 }}
spec:
  scaleTargetRef: { apiVersion: apps/v1, kind: Deployment, name: {{ $name }} }
  minReplicas: {{ .values.autoscaling.minReplicas }}
  maxReplicas: {{ .values.autoscaling.maxReplicas }}
  metrics:
    - type: Resource
      resource:
        name: cpu
        target: { type: Utilization, averageUtilization: {{ .values.autoscaling.targetCPUUtilizationPercentage }} }
  behavior:
    # A gateway that goes makes its stations connect again: one at a time, and not for a short lull.
    scaleDown:
      stabilizationWindowSeconds: 900
      policies: [{ type: Pods, value: 1, periodSeconds: 300 }]
{{- end }}
{{- if .values.ingress.enabled }}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: {{ $name }}
  labels: {{- include "evander.labels" . | nindent 4 }}
  {{- with .values.ingress.annotations }}
  annotations: {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  {{- with .values.ingress.className }}
  ingressClassName: {{ . }}
  {{- end }}
  {{- $host := required (printf "%s.ingress.host must be set when its ingress is enabled" .part) .values.ingress.host }}
  {{- with .values.ingress.tlsSecret }}
  tls: [{ hosts: [{{ $host | quote }}], secretName: {{ . | quote }} }]
  {{- end }}
  rules:
    - host: {{ $host | quote }}
      http:
        paths:
          {{- range eq .part "gateway" | ternary (list "/ws") .values.ingress.paths }}
          - path: {{ . | quote }}
            pathType: Prefix
            backend: { service: { name: {{ $name }}, port: { name: {{ eq $.part "gateway" | ternary "ws" "http" }} } } }
          {{- end }}
{{- end }}
{{- if .root.Values.serviceMonitor.enabled }}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata:
  name: {{ $name }}
  labels:
    {{- include "evander.labels" . | nindent 4 }}
    {{- with .root.Values.serviceMonitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  selector:
    matchLabels: {{- include "evander.selector" . | nindent 6 }}
  endpoints:
    - port: {{ eq .part "gateway" | ternary "status" "http" }}
      path: /metrics
      interval: {{ .root.Values.serviceMonitor.interval }}
      # The dashboard and the alerts know the jobs by these names.
      relabelings: [{ targetLabel: job, replacement: evander-{{ .part }} }]
{{- end }}
{{- end -}}

{{/* The Deployment's settings that both parts share. */}}
{{- define "evander.deployment" -}}
{{- if not .values.autoscaling.enabled }}
replicas: {{ .values.replicas }}
{{- end }}
# A new pod is ready before an old one goes.
strategy: { type: RollingUpdate, rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } }
minReadySeconds: 5
revisionHistoryLimit: 5
selector:
  matchLabels: {{- include "evander.selector" . | nindent 4 }}
{{- end -}}

{{- define "evander.podMetadata" -}}
labels: {{- include "evander.labels" . | nindent 2 }}
annotations:
  # Another Secret of the chart's own means new pods; one of yours you roll out yourself.
  checksum/secret: {{ toJson .root.Values.secret | sha256sum }}
  {{- with .values.podAnnotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "evander.podSettings" -}}
serviceAccountName: {{ include "evander.fullname" .root }}-{{ .part }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.imagePullSecrets }}
imagePullSecrets: {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 1000
  runAsGroup: 1000
  seccompProfile: { type: RuntimeDefault }
# 5 s until no new connections come, the drain, 5 s until the process gives up by itself, and some.
terminationGracePeriodSeconds: {{ add .root.Values.drainSeconds 15 }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "evander.selector" . | nindent 8 }}
{{- with .values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .values.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  - { name: tmp, emptyDir: { medium: Memory, sizeLimit: 16Mi } }
  {{- range (.values.tls | default dict).secrets }}
  - { name: {{ printf "tls-%s" . | quote }}, secret: { secretName: {{ . | quote }} } }
  {{- end }}
  {{- with .values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "evander.containerSettings" -}}
name: {{ .part }}
image: {{ printf "%s:%s" .values.image.repository (default .root.Chart.AppVersion .values.image.tag) | quote }}
imagePullPolicy: {{ .values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: { drop: [ALL] }
volumeMounts:
  - { name: tmp, mountPath: /tmp }
  {{- range (.values.tls | default dict).secrets }}
  - { name: {{ printf "tls-%s" . | quote }}, mountPath: {{ printf "/run/tls/%s" . | quote }}, readOnly: true }
  {{- end }}
  {{- with .values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
resources: {{- toYaml .values.resources | nindent 2 }}
# Endpoints forget the pod while it still takes connections.
lifecycle: { preStop: { exec: { command: [sleep, '5'] } } }
{{- $port := eq .part "gateway" | ternary "status" "http" }}
# A manager migrates the database before it listens.
startupProbe: { httpGet: { path: /health/live, port: {{ $port }} }, periodSeconds: 2, failureThreshold: 150 }
# Live says nothing of broker and database: a restart would not bring them back.
livenessProbe: { httpGet: { path: /health/live, port: {{ $port }} }, periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 }
readinessProbe: { httpGet: { path: /health/ready, port: {{ $port }} }, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2 }
{{- end -}}

{{- define "evander.sharedEnv" -}}
- { name: EVANDER_HOST, value: 0.0.0.0 }
- { name: EVANDER_MQTT_PREFIX, value: {{ .root.Values.mqttPrefix | quote }} }
- { name: EVANDER_LOG_LEVEL, value: {{ .root.Values.logLevel | quote }} }
- { name: EVANDER_DRAIN_SECONDS, value: {{ .root.Values.drainSeconds | quote }} }
{{- if eq .part "gateway" }}
- name: EVANDER_GATEWAY_SECRET
  {{- include "evander.fromSecret" (dict "root" .root "key" "gateway-secret") | nindent 2 }}
{{- else }}
- name: EVANDER_SECRET
  {{- include "evander.fromSecret" (dict "root" .root "key" "secret") | nindent 2 }}
{{- end }}
- name: EVANDER_MQTT_URL
  {{- include "evander.fromSecret" (dict "root" .root "key" (printf "%s-mqtt-url" .part)) | nindent 2 }}
{{- end -}}

{{/* What `settings` and `env` of a part say. A number of values.yaml is a float, which must not be written as 1.048576e+06. */}}
{{- define "evander.settings" -}}
{{- range $name, $value := .settings }}
- { name: {{ $name }}, value: {{ kindIs "float64" $value | ternary (int64 $value) $value | quote }} }
{{- end }}
{{- with .env }}
{{ toYaml . }}
{{- end }}
{{- end -}}
