package kit

import (
	"fmt"
	"testing"
	"time"
)

// Value asks Prometheus for one number; no sample or several are errors.
func (k *Kit) Value(promql string) (float64, error) {
	points, err := k.Prometheus.Query(promql, time.Time{})
	if err != nil {
		return 0, err
	}
	if len(points) != 1 {
		return 0, fmt.Errorf("%s: %d series, want one", promql, len(points))
	}
	return points[0].Value, nil
}

// WaitValue waits until a query's one number is as wanted.
func (k *Kit) WaitValue(t testing.TB, promql string, deadline time.Duration, wanted func(float64) bool) {
	t.Helper()
	WaitFor(t, promql, deadline, func() error {
		value, err := k.Value(promql)
		if err == nil && !wanted(value) {
			err = fmt.Errorf("it is %v", value)
		}
		return err
	})
}
