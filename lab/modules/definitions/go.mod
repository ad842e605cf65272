module llmfleet.dev/lab/definitions

go 1.26.8

require (
	github.com/aws/karpenter-provider-aws v1.14.1
	github.com/external-secrets/external-secrets v1.3.2
	github.com/kedacore/keda/v2 v2.21.0
	github.com/prometheus-operator/prometheus-operator v0.85.0
	sigs.k8s.io/gateway-api-inference-extension v1.5.0
	sigs.k8s.io/lws v0.8.0
)
