package forewarm

import (
	"encoding/json"
	"slices"
	"time"
)

// Basis is what a decision rests on, as far as tests read it.
type Basis struct {
	// LeadTime is how long a new pod takes to be of use.
	LeadTime time.Duration
	// Demand is the newest sample, in slots; 0 where it is not known.
	Demand float64
	// Model answered, Upper is the quantile of the peak that it foresees, Minute the last closed one that it knew,
	// counted since 1970.
	Model  string
	Upper  float64
	Minute int64
}

// Applied tells whether all steps of a decision were carried out.
func (l Line) Applied() bool {
	return len(l.Outcomes) > 0 && !slices.ContainsFunc(l.Outcomes, func(outcome json.RawMessage) bool {
		return string(outcome) != `"Applied"`
	})
}

// Basis reads it from the line's inputs; the zero value where the line has none.
func (l Line) Basis() Basis {
	var inputs struct {
		Function struct {
			Forecast struct {
				Model  string
				Upper  float64
				Minute int64
			}
			Observation struct {
				LeadTime struct{ Total int64 } `json:"lead_time"`
				Demand   struct{ Known struct{ Current float64 } }
			}
		}
	}
	if json.Unmarshal(l.Inputs, &inputs) != nil {
		return Basis{}
	}
	function := inputs.Function
	return Basis{
		LeadTime: time.Duration(function.Observation.LeadTime.Total) * time.Second,
		Demand:   function.Observation.Demand.Known.Current,
		Model:    function.Forecast.Model, Upper: function.Forecast.Upper, Minute: function.Forecast.Minute,
	}
}
